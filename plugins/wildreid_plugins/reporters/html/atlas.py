"""The map: a UMAP of the embeddings, and the pictures of past epochs, as data for ``atlas.js``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page import sprite
from wildreid_plugins.reporters.html.view import UNKNOWN, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid_plugins.reporters.html import Html

FEWEST = 8
MOST_EPOCHS = 60
NEIGHBOURS = 15
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


def sample(rows: Ints, identity: NDArray[np.str_], *, most: int, seed: int) -> Ints:
    """At most `most` of these rows, each individual in turn giving one photo drawn at random."""
    if len(rows) <= most:
        return rows
    import pandas as pd

    drawn = np.random.default_rng(seed).permutation(rows)
    turn = pd.Series(identity[drawn]).groupby(identity[drawn]).cumcount().to_numpy()
    return np.sort(drawn[np.argsort(turn, kind="stable")[:most]])


def layout(embeddings: Floats, *, seed: int) -> NDArray[np.float64]:
    """(n, width) unit-length embeddings to (n, 2) by UMAP, with exact neighbours handed to it.

    The exact neighbours cost a matrix product and spare the import and compilation of the approximate search.
    """
    count = min(NEIGHBOURS, len(embeddings) - 1)
    nearest, far = _neighbours(embeddings, count)
    with warnings.catch_warnings():
        # it says that it has no Tensorflow, and could not lay out new points later: nobody needs them
        warnings.simplefilter("ignore")
        from umap import UMAP

        model = UMAP(
            n_neighbors=count,
            min_dist=0.1,
            metric="cosine",
            init="pca",
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(nearest, far),
        )
        where = np.asarray(model.fit_transform(embeddings), dtype=np.float64)
    # embeddings that are all alike have no layout
    return np.nan_to_num(where)


def _neighbours(embeddings: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
    """Each point's `count` nearest by cosine distance, itself first, as UMAP wants them."""
    nearest, far = [], []
    for start in range(0, len(embeddings), 1024):
        block = slice(start, start + 1024)
        distance = 1 - embeddings[block] @ embeddings.T
        distance[np.arange(len(distance)), np.arange(start, start + len(distance))] = -1
        part = np.argpartition(distance, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(distance, part, 1), axis=1, kind="stable")
        nearest.append(np.take_along_axis(part, order, 1))
        far.append(np.take_along_axis(distance, nearest[-1], 1).clip(0))
    return np.concatenate(nearest).astype(np.int32), np.concatenate(far).astype(np.float32)


def _epochs(view: View) -> list[dict[str, Any]]:
    """The frames ``umap/epoch-*.json`` of the run: {"epoch": n, "ids": [...], "xy": [[x, y], ...]}, in order.

    At most `MOST_EPOCHS`, evenly spread, the last included; ids that the table does not have are left out.
    """
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (view.results.folder / "umap").glob("epoch-*.json")
    ]
    found.sort(key=lambda frame: int(frame["epoch"]))
    if len(found) > MOST_EPOCHS:
        found = [found[n] for n in np.linspace(0, len(found) - 1, MOST_EPOCHS).round().astype(int)]
    row_of = {name: row for row, name in enumerate(view.results.table["id"].tolist())} if found else {}
    frames = []
    for frame in found:
        known = [
            (row_of[name], where)
            for name, where in zip(frame["ids"], frame["xy"], strict=True)
            if name in row_of
        ]
        if known:
            frames.append(
                {
                    "epoch": int(frame["epoch"]),
                    "rows": np.array([row for row, _ in known], dtype=np.int64),
                    "xy": np.array([where for _, where in known], dtype=np.float64),
                }
            )
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
    """What is told of each point; names stand once, and points have their numbers."""
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
