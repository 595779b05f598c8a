"""Which pair next: the question whose answer may change most of what is believed (after LCA, in small)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

TRUST = math.log(0.97 / 0.03)
"""The weight of one human answer, 3.476; a machine's is never more."""
STOP = -0.95 * 2 * TRUST
"""Alternatives that are worse by more than this need not be asked about: one answer could not bring them up."""
SURE = 1e3
"""The weight of a decision that stands: it outweighs all machines, as a constraint does."""
ALL = 6
"""Images of a cluster up to which every way to divide it in two is tried."""

Pair = tuple[int, int]


def weight(probability: float) -> float:
    """The log odds of a probability that two are one animal, no more than one person's word."""
    p = min(max(probability, 1e-9), 1 - 1e-9)
    return min(max(math.log(p / (1 - p)), -TRUST), TRUST)


@dataclass(frozen=True)
class Alternative:
    """Another way to group some encounters.

    Attributes:
        gain: S(alternative) − S(now).
        now: the clusters that it replaces.
        then: what it puts in their place.
    """

    gain: float
    now: tuple[frozenset[int], ...]
    then: tuple[frozenset[int], ...]


@dataclass
class Graph:
    """What is known of pairs, and the clusters that are believed.

    Attributes:
        weights: of pairs (i, j) with i < j: above 0 one animal, below 0 two.
        clusters: each node in one.
        asked: how often each pair was asked; a pair is asked 4 times at most.
    """

    weights: dict[Pair, float]
    clusters: list[frozenset[int]]
    asked: dict[Pair, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.near: dict[int, dict[int, float]] = {}
        for (i, j), one in self.weights.items():
            self.near.setdefault(i, {})[j] = one
            self.near.setdefault(j, {})[i] = one

    def tell(self, pair: Pair, *, same: bool) -> None:
        """A person has said whether these two are one animal."""
        i, j = min(pair), max(pair)
        self.weights[i, j] = SURE if same else -SURE
        self.near.setdefault(i, {})[j] = self.near.setdefault(j, {})[i] = self.weights[i, j]
        self.asked[i, j] = self.asked.get((i, j), 0) + 1

    def score(self, clusters: Iterable[frozenset[int]] | None = None) -> float:
        """S: the weights inside clusters less those between them."""
        of = {node: n for n, one in enumerate(clusters or self.clusters) for node in one}
        return sum(w if of[i] == of[j] else -w for (i, j), w in self.weights.items())

    def alternatives(self) -> list[Alternative]:
        """The best division of each cluster, and what each two that share a pair could become; best first."""
        of = {node: n for n, one in enumerate(self.clusters) for node in one}
        found = []
        for one in self.clusters:
            if len(one) > 1:
                part, cut = self._divided(one)
                found.append(Alternative(-2 * cut, (one,), (part, one - part)))
        for a, b in sorted(
            {(min(of[i], of[j]), max(of[i], of[j])) for i, j in self.weights if of[i] != of[j]}
        ):
            one, other = self.clusters[a], self.clusters[b]
            between = self._between(one, other)
            found.append(Alternative(2 * between, (one, other), (one | other,)))
            if max(self.near.get(i, {}).get(j, 0) for i in one for j in other) <= 0:
                continue  # nothing draws a part of one to the other
            part, cut = self._divided(one | other)
            if part not in (one, other):
                found.append(Alternative(2 * between - 2 * cut, (one, other), (part, (one | other) - part)))
        return sorted(found, key=lambda it: (-it.gain, sorted(map(sorted, it.then))))

    def settle(self) -> None:
        """Take up alternatives as long as one is better than what is believed."""
        while True:
            best = next(iter(self.alternatives()), None)
            if best is None or best.gain <= 1e-9:
                return
            kept = [one for one in self.clusters if one not in best.now]
            self.clusters = sorted([*kept, *best.then], key=sorted)

    def ask(self, count: int = 2) -> list[Pair]:
        """The pairs to ask next: those that decide the best alternative; none where nothing is worth a question."""
        for one in self.alternatives():
            if one.gain < STOP:
                return []
            if pairs := self.deciding(one)[:count]:
                return pairs
        return []

    def deciding(self, one: Alternative) -> list[Pair]:
        """The pairs that it puts together or apart, unknown ones first, then by how sure one is of them."""
        now, then = _together(one.now), _together(one.then)
        open_pairs = [
            pair
            for pair in now ^ then
            if self.asked.get(pair, 0) < 4 and abs(self.weights.get(pair, 0.0)) < SURE
        ]
        return sorted(
            open_pairs, key=lambda pair: (pair in self.weights, -abs(self.weights.get(pair, 0)), pair)
        )

    def _between(self, one: Iterable[int], other: frozenset[int]) -> float:
        return sum(w for i in one for j, w in self.near.get(i, {}).items() if j in other)

    def _divided(self, nodes: frozenset[int]) -> tuple[frozenset[int], float]:
        """The part to cut off where that costs least, and the weights it cuts."""
        _, *others = sorted(nodes)
        tried: list[frozenset[int]]
        if len(nodes) <= ALL:
            tried = [frozenset(chosen) for n in range(1, len(nodes)) for chosen in combinations(others, n)]
        else:
            tried = [self._grown(frozenset([node]), nodes) for node in sorted(nodes)]
        costs = [
            (self._between(part, nodes - part), sorted(part)) for part in tried if part and part != nodes
        ]
        cost, part = min(costs)
        return frozenset(part), cost

    def _grown(self, part: frozenset[int], nodes: frozenset[int]) -> frozenset[int]:
        """A part that takes in whoever makes the cut cheaper, one after the other."""
        cost = self._between(part, nodes - part)
        while len(part) < len(nodes) - 1:
            more = [
                (self._between(part | {node}, nodes - part - {node}), node) for node in sorted(nodes - part)
            ]
            cheapest, node = min(more)
            if cheapest >= cost:
                break
            part, cost = part | {node}, cheapest
        return part


def _together(clusters: Sequence[frozenset[int]]) -> set[Pair]:
    return {pair for one in clusters for pair in combinations(sorted(one), 2)}


def graph(
    probabilities: Mapping[Pair, float], clusters: Iterable[Iterable[int]], *, decided: Mapping[Pair, bool]
) -> Graph:
    """A graph of probabilities and of what people have decided; a pair between two nodes has the smaller first."""
    weights = {pair: weight(p) for pair, p in probabilities.items()}
    weights |= {pair: SURE if same else -SURE for pair, same in decided.items()}
    return Graph(weights, sorted((frozenset(one) for one in clusters), key=sorted))
