from __future__ import annotations

import numpy as np
import pytest

from wildreid_plugins.rerankers.expansion import QueryExpansion
from wildreid_plugins.rerankers.k_reciprocal import KReciprocal


def vectors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A query and its candidates, the nearest first."""
    drawn = np.random.default_rng(seed).normal(size=(count + 1, 6)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    query, rest = drawn[0], drawn[1:]
    return query, rest[np.argsort(-(rest @ query))]


def naive(query: np.ndarray, rest: np.ndarray, k1: int, k2: int, weight: float) -> np.ndarray:
    """The paper's algorithm with sets, photo by photo."""
    every = np.concatenate([query[None], rest]).astype(float)
    n = len(every)
    apart = np.array([[max(2 - 2 * float(a @ b), 0) for b in every] for a in every])
    np.fill_diagonal(apart, 0)
    apart /= apart.max(axis=1, keepdims=True)
    order = np.argsort(apart, axis=1, kind="stable")

    def near(i: int, k: int) -> set[int]:
        return {int(j) for j in order[i][: k + 1] if i in order[j][: k + 1]}

    encoded = np.zeros((n, n))
    for i in range(n):
        own = near(i, k1)
        whole = set(own)
        for j in own:
            other = near(j, round(k1 / 2))
            if len(other & own) > 2 / 3 * len(other):
                whole |= other
        for j in whole:
            encoded[i, j] = np.exp(-apart[i, j])
        encoded[i] /= encoded[i].sum()
    if k2 > 1:
        encoded = np.array([encoded[order[i][:k2]].mean(axis=0) for i in range(n)])
    found = []
    for j in range(1, n):
        low, high = np.minimum(encoded[0], encoded[j]).sum(), np.maximum(encoded[0], encoded[j]).sum()
        found.append(1 - ((1 - weight) * (1 - low / high) + weight * apart[0, j]))
    return np.array(found)


@pytest.mark.parametrize(("k1", "k2"), [(6, 3), (4, 1), (20, 6)])
def test_k_reciprocal_is_the_papers(k1: int, k2: int) -> None:
    query, rest = vectors(25)
    found = KReciprocal(k1=k1, k2=k2).rerank(query=query, candidates=rest)
    assert found == pytest.approx(naive(query, rest, k1, k2, 0.3), abs=1e-6)


def test_the_distance_alone_keeps_the_order() -> None:
    query, rest = vectors(12)
    found = KReciprocal(weight=1).rerank(query=query, candidates=rest)
    assert (np.diff(found) <= 1e-6).all()


def test_query_expansion_asks_with_the_mean() -> None:
    query, rest = vectors(10)
    joined = query.astype(float)
    for one in rest[:3]:
        joined = joined + max(float(one @ query), 0) ** 2 * one
    expected = rest @ (joined / np.linalg.norm(joined))
    found = QueryExpansion(nearest=3, alpha=2).rerank(query=query, candidates=rest)
    assert found == pytest.approx(expected, abs=1e-6)
