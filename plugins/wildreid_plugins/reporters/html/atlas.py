"""The map: a UMAP of the embeddings, and the pictures of past epochs, as data for ``atlas.js``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page import sprite
from wildreid.projection.frames import FOLDER, load_frames
from wildreid.projection.layout import FEWEST, layout
from wildreid.projection.sample import sample
from wildreid_plugins.reporters.html.view import UNKNOWN, View

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid_plugins.reporters.html import Html

MOST_EPOCHS = 60
SIDE, SIDE_OF_MANY, MANY, COLUMNS = 64, 48, 2000, 50


def atlas(options: Html, view: View) -> dict[str, Any]:
    """Points and pictures of the map; ``reason`` says why there is no picture of the final model."""
    seed = int(view.scores.get("seed", 0))
    candidates = np.flatnonzero(np.isin(view.part, options.parts))
    pictures: list[dict[str, Any]] = []
    reason = ""
    if not options.umap:
        reason = "the recipe switched it off (reporter html, umap: false)"
    elif len(candidates) < FEWEST:
        reason = f"a map needs {FEWEST} photos at least; there are {len(candidates)}"
    else:
        rows = sample(candidates, view.identity, most=options.points, seed=seed)
        where = layout(np.asarray(view.results.embeddings[rows]), seed=seed)
        pictures.append({"epoch": None, "rows": rows, "xy": where})
    epochs = _epochs(view)
    drawn = [*pictures, *epochs]
    shown = np.unique(np.concatenate([picture["rows"] for picture in drawn])) if drawn else np.array([], int)
    place = {row: n for n, row in enumerate(shown.tolist())}
    positions = [*_in_one_frame(pictures), *_in_one_frame(epochs)]
    return {
        "reason": reason,
        "shown": len(pictures[0]["rows"]) if pictures else 0,
        "of": len(candidates),
        "parts": ", ".join(options.parts),
        "epochs": len(epochs),
        "epoch_points": len(epochs[-1]["rows"]) if epochs else 0,
        "sheet": _sheet(view, shown) if drawn else None,
        "data": {
            "points": _points(view, shown),
            "pictures": [
                {
                    "epoch": picture["epoch"],
                    "points": [place[row] for row in picture["rows"].tolist()],
                    "xy": xy,
                }
                for picture, xy in zip(drawn, positions, strict=True)
            ],
        },
    }


def _epochs(view: View) -> list[dict[str, Any]]:
    """The pictures that training left, at most `MOST_EPOCHS`, evenly spread, the last included.

    Photos that the table does not have are left out.
    """
    found = load_frames(view.results.folder / FOLDER)
    if len(found) > MOST_EPOCHS:
        found = [found[n] for n in np.linspace(0, len(found) - 1, MOST_EPOCHS).round().astype(int)]
    row_of = {name: row for row, name in enumerate(view.results.table["id"].tolist())} if found else {}
    frames = []
    for frame in found:
        rows = np.array([row_of.get(name, -1) for name in frame.ids], dtype=np.int64)
        if (rows >= 0).any():
            frames.append({"epoch": frame.epoch, "rows": rows[rows >= 0], "xy": frame.xy[rows >= 0]})
    return frames


def _in_one_frame(pictures: Sequence[dict[str, Any]]) -> list[list[list[int]]]:
    """The positions of pictures that are to be compared, as whole numbers 0 … 1000 in one square for all."""
    if not pictures:
        return []
    everything = np.concatenate([picture["xy"] for picture in pictures])
    low, high = everything.min(axis=0), everything.max(axis=0)
    side = float((high - low).max()) or 1.0
    middle = (low + high) / 2
    return [
        ((picture["xy"] - middle) / side * 1000 + 500).round().astype(int).tolist() for picture in pictures
    ]


def _points(view: View, rows: Ints) -> dict[str, Any]:
    """What is shown of each point; names stand once, and points have their numbers."""
    encounters = {
        name: f"encounter {n}" for n, name in enumerate(np.unique(view.encounter[rows]).tolist(), 1)
    }
    columns = {
        "individual": np.where(view.identity[rows] == UNKNOWN, "unknown individual", view.identity[rows]),
        "camera": view.camera[rows],
        "encounter": np.array([encounters[name] for name in view.encounter[rows].tolist()], dtype=str),
        "part": view.part[rows],
        "date": view.date[rows],
    }
    points = {}
    for name, values in columns.items():
        names, numbers = np.unique(values, return_inverse=True)
        points[name] = {"names": names.tolist(), "of": numbers.tolist()}
    return points


def _sheet(view: View, rows: Ints) -> dict[str, Any]:
    """All thumbnails as one picture: a JPEG of each would be mostly headers."""
    side = SIDE if len(rows) <= MANY else SIDE_OF_MANY
    uri, width, height = sprite(view.images(rows.tolist(), side), side=side, columns=COLUMNS)
    return {"uri": uri, "width": width, "height": height, "side": side, "columns": COLUMNS}
