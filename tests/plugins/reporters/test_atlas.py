"""The map: an exact sample, exact neighbours, and pictures that can be compared."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.plugins.reporters.drawn_run import frames

from wildreid.artefacts import Results
from wildreid_plugins.reporters.html import Html
from wildreid_plugins.reporters.html.atlas import MOST_EPOCHS, _neighbours, atlas, layout, sample
from wildreid_plugins.reporters.html.view import View


def unit(rows: int, width: int = 16, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_sample_gives_each_individual_its_turn() -> None:
    identity = np.array(["often"] * 90 + ["seldom"] * 6 + ["once"])
    rows = np.arange(len(identity))
    drawn = sample(rows, identity, most=20, seed=0)
    assert Counter(identity[drawn]) == {"often": 13, "seldom": 6, "once": 1}
    assert len(set(drawn.tolist())) == 20
    assert sample(rows, identity, most=20, seed=0).tolist() == drawn.tolist()
    assert sample(rows, identity, most=20, seed=1).tolist() != drawn.tolist()
    assert sample(rows, identity, most=200, seed=1).tolist() == rows.tolist()


@pytest.mark.parametrize("rows", [10, 1500])
def test_neighbours_are_exact(rows: int) -> None:
    vectors = unit(rows)
    nearest, far = _neighbours(vectors, 5)
    assert nearest[:, 0].tolist() == list(range(rows)), "itself first"
    for row in np.random.default_rng(1).choice(rows, 10, replace=False):
        distance = 1 - vectors @ vectors[row]
        others = np.sort(np.delete(distance, row))[:4]
        np.testing.assert_allclose(far[row, 1:], others, atol=1e-6)
        np.testing.assert_allclose(distance[nearest[row]], far[row], atol=1e-6)


def test_a_duplicate_does_not_take_a_points_own_place() -> None:
    vectors = np.repeat(unit(4), 3, axis=0)
    nearest, far = _neighbours(vectors, 3)
    assert nearest[:, 0].tolist() == list(range(12))
    assert (far >= 0).all()
    np.testing.assert_allclose(far, 0, atol=1e-6)


@pytest.mark.stress
def test_the_layout_keeps_clusters_and_is_the_same_each_time() -> None:
    centres = unit(3, seed=1)
    whose = np.repeat(np.arange(3), 12)
    vectors = centres[whose] + 0.1 * unit(36, seed=2)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    with warnings.catch_warnings():
        # numba and umap warn of their own affairs as they are imported
        warnings.simplefilter("ignore")
        where = layout(vectors, seed=0)
        again = layout(vectors, seed=0)
    assert where.shape == (36, 2)
    np.testing.assert_array_equal(where, again)
    far = np.linalg.norm(where[:, None] - where[None], axis=2)
    np.fill_diagonal(far, np.inf)
    assert (whose[far.argmin(axis=1)] == whose).all()


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


@pytest.mark.stress
def test_embeddings_that_are_all_alike_have_a_layout_without_nan() -> None:
    where = layout(np.repeat(unit(1), 20, axis=0), seed=0)
    assert np.isfinite(where).all()
