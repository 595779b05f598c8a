"""An exact sample, exact neighbours, and layouts that can be compared."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pytest

from wildreid.projection.layout import laid_on, layout, neighbours
from wildreid.projection.sample import sample


def unit(rows: int, width: int = 16, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clusters(noise: float, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Three dozen points around three centres, and which is whose."""
    whose = np.repeat(np.arange(3), 12)
    vectors = unit(3, seed=1)[whose] + noise * unit(36, seed=seed)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), whose


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
    nearest, far = neighbours(vectors, 5)
    assert nearest[:, 0].tolist() == list(range(rows)), "itself first"
    for row in np.random.default_rng(1).choice(rows, 10, replace=False):
        distance = 1 - vectors @ vectors[row]
        others = np.sort(np.delete(distance, row))[:4]
        np.testing.assert_allclose(far[row, 1:], others, atol=1e-6)
        np.testing.assert_allclose(distance[nearest[row]], far[row], atol=1e-6)


def test_a_duplicate_does_not_take_a_points_own_place() -> None:
    vectors = np.repeat(unit(4), 3, axis=0)
    nearest, far = neighbours(vectors, 3)
    assert nearest[:, 0].tolist() == list(range(12))
    assert (far >= 0).all()
    np.testing.assert_allclose(far, 0, atol=1e-6)


def test_a_layout_is_turned_and_shifted_onto_the_one_before_and_not_stretched() -> None:
    before = np.random.default_rng(0).normal(size=(20, 2))
    turn = np.array([[np.cos(2.0), np.sin(2.0)], [-np.sin(2.0), np.cos(2.0)]])
    np.testing.assert_allclose(laid_on(before @ turn + (5, -3), before), before, atol=1e-9)
    np.testing.assert_allclose(laid_on(before * (-1, 1), before), before, atol=1e-9)
    centred = before - before.mean(axis=0)
    np.testing.assert_allclose(laid_on(3 * before, before) - before.mean(axis=0), 3 * centred, atol=1e-9)


@pytest.mark.stress
def test_the_layout_keeps_clusters_is_the_same_each_time_and_stays_where_it_was() -> None:
    vectors, whose = clusters(0.1)
    with warnings.catch_warnings():
        # numba and umap warn of their own affairs as they are imported
        warnings.simplefilter("ignore")
        where = layout(vectors, seed=0)
        again = layout(vectors, seed=0)
        later = layout(clusters(0.1, seed=3)[0], seed=0, start=where)
    assert where.shape == (36, 2)
    np.testing.assert_array_equal(where, again)
    for one in (where, later):
        far = np.linalg.norm(one[:, None] - one[None], axis=2)
        np.fill_diagonal(far, np.inf)
        assert (whose[far.argmin(axis=1)] == whose).all()
    middles = [np.array([one[whose == n].mean(axis=0) for n in range(3)]) for one in (where, later)]
    apart = np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2)
    assert apart.argmin(axis=1).tolist() == [0, 1, 2]


@pytest.mark.stress
def test_embeddings_that_are_all_alike_have_a_layout_without_nan() -> None:
    alike = np.repeat(unit(1), 20, axis=0)
    assert np.isfinite(layout(alike, seed=0)).all()
    assert np.isfinite(layout(alike, seed=0, start=np.zeros((20, 2)))).all()


THREADS = """\
import numpy as np, torch
from wildreid.projection.layout import layout
torch.set_num_threads(1)
layout(np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32), seed=0)
print(torch.get_num_threads())
"""


def test_torch_keeps_its_number_of_threads() -> None:
    """In a process of its own: numba starts its pool once, and that changes torch's number."""
    variables = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", THREADS],
        capture_output=True,
        text=True,
        env=variables,
        check=True,
    )
    assert done.stdout.split() == ["1"]
