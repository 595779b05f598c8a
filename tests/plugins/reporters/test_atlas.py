"""The map: pictures that can be compared, of photos that are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from made.drawn_run import frames

from wildreid.artefacts import Results
from wildreid_plugins.reporters.html import Html
from wildreid_plugins.reporters.html.atlas import MOST_EPOCHS, atlas
from wildreid_plugins.reporters.html.view import View


def test_pictures_of_epochs_share_one_frame_and_their_points(make_results: Callable[..., Results]) -> None:
    results = make_results()
    frames(results, epochs=3)
    found = atlas(Html(umap=False), View(results))
    pictures = found["data"]["pictures"]
    assert [picture["epoch"] for picture in pictures] == [1, 2, 3]
    places = np.array([xy for picture in pictures for xy in picture["xy"]])
    assert places.min() >= 0
    assert places.max() <= 1000
    assert max(np.ptp(places[:, 0]), np.ptp(places[:, 1])) == 1000
    names = found["data"]["points"]["individual"]
    frame = json.loads((results.folder / "umap/epoch-0001.json").read_text())
    identity = results.table.rows.set_index("id")["identity"]
    shown = [names["names"][names["of"][point]] for point in pictures[0]["points"]]
    assert shown == identity[frame["ids"]].tolist()
    assert found["reason"].startswith("the recipe switched it off")
    cells = (
        found["sheet"]["width"]
        // found["sheet"]["side"]
        * (found["sheet"]["height"] // found["sheet"]["side"])
    )
    assert cells >= len(names["of"])


def test_of_many_epochs_the_first_and_the_last_are_kept(make_results: Callable[..., Results]) -> None:
    results = make_results()
    frames(results, epochs=150)
    epochs = [picture["epoch"] for picture in atlas(Html(umap=False), View(results))["data"]["pictures"]]
    assert len(epochs) == MOST_EPOCHS
    assert (epochs[0], epochs[-1]) == (1, 150)
    assert epochs == sorted(epochs)


def test_ids_that_the_table_lacks_are_left_out(make_results: Callable[..., Results]) -> None:
    results = make_results()
    frames(results, epochs=1)
    path = results.folder / "umap/epoch-0001.json"
    frame = json.loads(path.read_text())
    path.write_text(json.dumps({**frame, "ids": ["gone.jpg", *frame["ids"][1:]]}))
    (picture,) = atlas(Html(umap=False), View(results))["data"]["pictures"]
    assert len(picture["points"]) == len(frame["ids"]) - 1


def test_too_few_photos_make_no_map(make_results: Callable[..., Results]) -> None:
    results = make_results(individuals=1, unknowns=0)
    found = atlas(Html(umap=True), View(replace(results)))
    assert found["reason"] == "a map needs 8 photos at least; there are 6"
    assert found["sheet"] is None
