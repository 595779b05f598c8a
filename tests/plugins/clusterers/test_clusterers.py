from __future__ import annotations

import itertools

import numpy as np
import pytest

from wildreid_plugins.clusterers.average_linkage import AverageLinkage
from wildreid_plugins.clusterers.connected_components import ConnectedComponents
from wildreid_plugins.clusterers.hdbscan import Hdbscan


def drawn(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T).astype(np.float32)


def sets(labels: np.ndarray) -> set[frozenset[int]]:
    alone = [frozenset({n}) for n in np.flatnonzero(labels < 0).tolist()]
    named = [frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels[labels >= 0])]
    return {*alone, *named}


def by_hand(similarity: np.ndarray, cut: float, apart: set[tuple[int, int]]) -> set[frozenset[int]]:
    """Merge the two clusters of the highest mean similarity, as long as it reaches the cut."""
    clusters = [frozenset({n}) for n in range(len(similarity))]
    while len(clusters) > 1:
        best, pair = -np.inf, None
        for a, b in itertools.combinations(clusters, 2):
            if any((min(x, y), max(x, y)) in apart for x in a for y in b):
                continue
            mean = np.mean([similarity[x, y] for x in a for y in b])
            if mean > best:
                best, pair = mean, (a, b)
        if pair is None or best < cut:
            break
        clusters = [one for one in clusters if one not in pair] + [pair[0] | pair[1]]
    return set(clusters)


@pytest.mark.parametrize("seed", range(5))
def test_average_linkage_is_what_merging_by_hand_gives(seed: int) -> None:
    similarity = drawn(14, seed)
    for apart in (set(), {(0, 1), (2, 3), (4, 9)}):
        forbidden = similarity.copy()
        for a, b in apart:
            forbidden[a, b] = forbidden[b, a] = -np.inf
        found = sets(AverageLinkage().cluster(similarity=forbidden, cut=0.4))
        assert found == by_hand(similarity, 0.4, apart)


@pytest.mark.parametrize("seed", range(5))
def test_components_are_chains_above_the_cut(seed: int) -> None:
    similarity = drawn(20, seed)
    label = list(range(20))
    for _ in range(20):
        for a, b in itertools.combinations(range(20), 2):
            if similarity[a, b] >= 0.8:
                label[a] = label[b] = min(label[a], label[b])
    found = sets(ConnectedComponents().cluster(similarity=similarity, cut=0.8))
    assert found == sets(np.array(label))


def test_hdbscan_finds_one_animal_where_all_are_one() -> None:
    similarity = np.full((6, 6), 0.9, np.float32)
    np.fill_diagonal(similarity, 1)
    assert sets(Hdbscan().cluster(similarity=similarity, cut=0.5)) == {frozenset(range(6))}
    assert len(sets(Hdbscan().cluster(similarity=similarity, cut=0.95))) == 6


def test_hdbscan_leaves_strangers_alone() -> None:
    similarity = np.full((9, 9), 0.0, np.float32)
    similarity[:4, :4] = similarity[4:8, 4:8] = 0.95
    np.fill_diagonal(similarity, 1)
    labels = Hdbscan().cluster(similarity=similarity, cut=0.5)
    assert sets(labels) == {frozenset(range(4)), frozenset(range(4, 8)), frozenset({8})}


@pytest.mark.parametrize("option", [AverageLinkage, ConnectedComponents, Hdbscan])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_encounters_are_no_trouble(option, count: int) -> None:
    labels = option().cluster(similarity=np.eye(count, dtype=np.float32), cut=0.5)
    assert len(sets(labels)) == count


@pytest.mark.parametrize("option", [AverageLinkage, ConnectedComponents])
def test_an_own_cut_wins_over_the_calibrated_one(option) -> None:
    similarity = drawn(10, 0)
    assert len(sets(option(cut=-1.0).cluster(similarity=similarity, cut=0.99))) == 1
    assert len(sets(option(cut=1.0).cluster(similarity=similarity * 0.9, cut=0.0))) == 10
