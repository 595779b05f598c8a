"""The order of questions: the specification's golden values, and a perfect reviewer who needs few answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from wildreid.review.order import STOP, TRUST, Graph, Pair, weight

A, B, C, D = range(4)
GOLDEN: dict[Pair, float] = {(A, B): 3, (C, D): 3, (B, C): 0.2, (A, C): -2, (A, D): -2, (B, D): -2}


def clusters(*groups: set[int]) -> list[frozenset[int]]:
    return [frozenset(group) for group in groups]


def test_golden_scores() -> None:
    graph = Graph(dict(GOLDEN), clusters({A, B}, {C, D}))
    assert graph.score() == pytest.approx(11.8)
    assert graph.score(clusters({A, B, C, D})) == pytest.approx(0.2)
    assert graph.score(clusters({A, B, C}, {D})) == pytest.approx(2.2)
    assert graph.score(clusters({A}, {B}, {C, D})) == pytest.approx(5.8)
    assert pytest.approx(3.476, abs=5e-4) == TRUST
    assert pytest.approx(-6.60, abs=5e-3) == STOP


def test_golden_questions() -> None:
    graph = Graph(dict(GOLDEN), clusters({A, B}, {C, D}))
    gains = {tuple(sorted(map(tuple, map(sorted, one.then)))): one.gain for one in graph.alternatives()}
    assert gains[(A,), (B,)] == pytest.approx(-6.0)
    assert gains[(C,), (D,)] == pytest.approx(-6.0)
    assert gains[((A, B, C, D),)] == pytest.approx(-11.6)
    assert graph.ask() in ([(A, B)], [(C, D)])
    asked = []
    while pairs := graph.ask():
        for pair in pairs:
            asked.append(pair)
            graph.tell(pair, same=True)
    assert sorted(asked) == [(A, B), (C, D)], "the merge is not asked"


def test_gain_is_the_difference_of_scores() -> None:
    draw = np.random.default_rng(1)
    for _ in range(20):
        pairs = {
            pair: float(draw.normal()) for pair in itertools.combinations(range(6), 2) if draw.random() < 0.7
        }
        graph = Graph(pairs, clusters({0, 1, 2}, {3}, {4, 5}))
        for one in graph.alternatives():
            then = [group for group in graph.clusters if group not in one.now] + list(one.then)
            assert one.gain == pytest.approx(graph.score(then) - graph.score())


def test_a_decision_is_never_merged_across() -> None:
    graph = Graph({(0, 1): 3.0, (1, 2): 3.0, (0, 2): 3.0}, clusters({0}, {1}, {2}))
    graph.tell((0, 2), same=False)
    graph.settle()
    assert not any({0, 2} <= group for group in graph.clusters)


def simulated(seed: int) -> tuple[np.ndarray, dict[Pair, float]]:
    """Who is on 48 encounters, and what a machine makes of each pair: mostly right, never certain."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(12), 4)
    pairs = {}
    for i, j in itertools.combinations(range(len(who)), 2):
        evidence = draw.normal(2.0 if who[i] == who[j] else -3.2, 1.5)
        pairs[i, j] = weight(1 / (1 + np.exp(-evidence)))
    return who, pairs


def asked_until_right(graph: Graph, who: np.ndarray, order: list[Pair] | None) -> int:
    """How many answers a perfect reviewer gives until the adjusted Rand index is 0.99."""
    asked = 0
    while True:
        graph.settle()
        of = np.empty(len(who), int)
        for number, group in enumerate(graph.clusters):
            of[list(group)] = number
        if adjusted_rand_score(who, of) >= 0.99:
            return asked
        pairs = graph.ask() if order is None else [order.pop()]
        assert pairs, "there is no question left and the clusters are wrong"
        for i, j in pairs:
            graph.tell((i, j), same=bool(who[i] == who[j]))
            asked += 1


def test_a_perfect_reviewer_needs_under_a_tenth_of_random_order() -> None:
    who, pairs = simulated(1)
    single = clusters(*({n} for n in range(len(who))))
    ours = asked_until_right(Graph(dict(pairs), single), who, None)
    order = list(pairs)
    np.random.default_rng(1).shuffle(order)
    random = asked_until_right(Graph(dict(pairs), single), who, [(int(i), int(j)) for i, j in order])
    assert 0 < ours < 0.1 * random, (ours, random)


def test_the_order_of_rows_does_not_matter() -> None:
    who, pairs = simulated(4)
    graph = Graph(dict(pairs), clusters(*({n} for n in range(len(who)))))
    other = Graph(dict(reversed(pairs.items())), clusters(*({n} for n in reversed(range(len(who))))))
    graph.settle()
    other.settle()
    assert set(graph.clusters) == set(other.clusters)
    assert graph.ask() == other.ask()
