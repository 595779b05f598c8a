"""Which pair next: the question whose answer may change most of what is believed (after LCA, in small)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TRUST = math.log(0.97 / 0.03)
"""The weight of one human answer, 3.476; a machine's is never more."""
STOP = -0.95 * 2 * TRUST
"""Alternatives that are worse by more than this need not be asked about: one answer could not bring them up."""
LEAST = 4 * STOP
"""What gains less than this is never asked about, however thorough one is."""
SURE = 1e3
"""The weight of a decision that stands: it outweighs all machines, as a constraint does."""
ALL = 6
"""Images of a cluster up to which every way to divide it in two is tried."""
STARTS = 64
"""Nodes of a larger one that such a way may begin with: those that the others hold least."""

Pair = tuple[int, int]
Clusters = tuple[frozenset[int], ...]


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


class Graph:
    """What is known of pairs, and the clusters that are believed.

    What could become of clusters is worked out once and again only where something has changed, so that a
    catalogue of many thousands can be asked about after each decision.

    Args:
        weights: of pairs (i, j) with i < j: above 0 one animal, below 0 two.
        clusters: each node in one.

    Attributes:
        weights: as given, and as told since.
        asked: how often each pair was asked; a pair is asked 4 times at most.
    """

    def __init__(self, weights: Mapping[Pair, float], clusters: Iterable[Iterable[int]]) -> None:
        self.weights: dict[Pair, float] = {}
        self.asked: dict[Pair, int] = {}
        self._near: dict[int, dict[int, float]] = {}
        self._of: dict[int, frozenset[int]] = {}
        self._found: dict[Clusters, list[Alternative]] = {}
        self._within: dict[frozenset[int], set[Clusters]] = {}
        # those with an alternative at all, and those with one to ask about
        self._worth: set[Clusters] = set()
        self._open: set[Clusters] = set()
        self._changed: set[frozenset[int]] = set()
        self.group(clusters)
        for pair, weight in weights.items():
            self.weigh(pair, weight)

    @property
    def clusters(self) -> list[frozenset[int]]:
        """The clusters that are believed, by their smallest node."""
        return sorted(set(self._of.values()), key=min)

    def group(self, clusters: Iterable[Iterable[int]]) -> None:
        """Believe these clusters; nodes that they do not name stay where they are."""
        wanted = map(frozenset, clusters)
        then = {one for one in wanted if one and self._of.get(min(one)) != one}
        gone = {self._of[node] for one in then for node in one if node in self._of}
        for one in gone:
            self._forget(one)
        self._of |= {node: one for one in then for node in one}
        self._changed = (self._changed - gone) | then

    def cluster(self, node: int) -> frozenset[int]:
        """That of a node; empty for a node that is in none yet."""
        return self._of.get(node, frozenset())

    def weigh(self, pair: Pair, weight: float) -> None:
        """Two nodes weigh this from now on."""
        i, j = pair
        if self.weights.get(pair) == weight:
            return
        self.weights[pair] = weight
        self._near.setdefault(i, {})[j] = self._near.setdefault(j, {})[i] = weight
        self._changed |= {self._of[i], self._of[j]}

    def tell(self, pair: Pair, *, same: bool) -> None:
        """A person has said whether these two are one animal."""
        pair = min(pair), max(pair)
        self.weigh(pair, SURE if same else -SURE)
        self.asked[pair] = self.asked.get(pair, 0) + 1

    def score(self, clusters: Iterable[frozenset[int]] | None = None) -> float:
        """S: the weights inside clusters less those between them."""
        of = {node: n for n, one in enumerate(clusters or self.clusters) for node in one}
        return sum(w if of[i] == of[j] else -w for (i, j), w in self.weights.items())

    def alternatives(self, least: float = LEAST) -> list[Alternative]:
        """The best division of each cluster, and what each two that share a pair could become; best first.

        Args:
            least: the gain that one has at least; what is below `LEAST` is not remembered.
        """
        self._look_again()
        keys = self._open if least >= STOP else self._worth
        found = [one for key in keys for one in self._found[key] if one.gain >= least]
        return sorted(found, key=lambda it: (-round(it.gain, 9), sorted(map(sorted, it.then))))

    def settle(self) -> None:
        """Take up alternatives as long as one is better than what is believed."""
        while (best := next(iter(self.alternatives()), None)) is not None and best.gain > 1e-9:
            self.group(best.then)

    def ask(self, count: int = 2, *, least: float = STOP) -> list[Pair]:
        """The pairs to ask next: those that decide the best alternative; none where none gains `least`."""
        for one in self.alternatives(least):
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

    def _forget(self, one: frozenset[int]) -> None:
        """All that was worked out with this cluster."""
        for key in self._within.pop(one, ()):
            self._found.pop(key, None)
            self._worth.discard(key)
            self._open.discard(key)
            for other in key:
                self._within.get(other, set()).discard(key)

    def _look_again(self) -> None:
        """Work out what the clusters that have changed could become, alone and with each they share a pair with."""
        changed, self._changed = self._changed, set()
        for one in changed:
            self._forget(one)
        for one in sorted(changed, key=min):
            self._keep((one,), self._split(one) if len(one) > 1 else [])
            beside = {self._of[j] for i in one for j in self._near.get(i, ())} - {one}
            for other in beside:
                key = (one, other) if min(one) < min(other) else (other, one)
                if key not in self._found:
                    self._keep(key, self._joined(*key))

    def _keep(self, key: Clusters, found: list[Alternative]) -> None:
        self._found[key] = [one for one in found if one.gain >= LEAST]
        if self._found[key]:
            self._worth.add(key)
        if any(one.gain >= STOP for one in self._found[key]):
            self._open.add(key)
        for one in key:
            self._within.setdefault(one, set()).add(key)

    def _split(self, one: frozenset[int]) -> list[Alternative]:
        part, cut = self._divided(one, ())
        return [Alternative(-2 * cut, (one,), (part, one - part))]

    def _joined(self, one: frozenset[int], other: frozenset[int]) -> list[Alternative]:
        """Two clusters as one, and the best of the other ways to divide what both hold."""
        between = sum(w for i in one for j, w in self._near.get(i, {}).items() if j in other)
        found = [Alternative(2 * between, (one, other), (one | other,))]
        if any(w > 0 and j in other for i in one for j, w in self._near.get(i, {}).items()):
            # else nothing draws a part of one to the other
            part, cut = self._divided(one | other, (one, other))
            if part:
                then = (part, (one | other) - part)
                found.append(Alternative(2 * between - 2 * cut, (one, other), then))
        return found

    def _divided(
        self, nodes: frozenset[int], now: tuple[frozenset[int], ...]
    ) -> tuple[frozenset[int], float]:
        """The part to cut off where that costs least, and the weights it cuts; not as it is divided now."""
        order = sorted(nodes)
        place = {node: n for n, node in enumerate(order)}
        weights = np.zeros((len(order), len(order)))
        for node, n in place.items():
            for other, w in self._near.get(node, {}).items():
                if other in place:
                    weights[n, place[other]] = w
        tried = _all_parts(len(order)) if len(order) <= ALL else _grown(weights, now, place)
        cuts = ((tried @ weights) * (1 - tried)).sum(axis=1)
        for n in np.argsort(np.round(cuts, 9), kind="stable"):
            part = frozenset(order[i] for i in np.flatnonzero(tried[n]))
            if part not in now:
                return part, float(cuts[n])
        return frozenset(), 0.0


def _all_parts(nodes: int) -> Floats:
    """(2^(nodes − 1) − 1, nodes) every way to divide nodes in two: the part without the first, 1 where in it."""
    numbers = np.arange(1, 2 ** (nodes - 1))[:, np.newaxis]
    rest = (numbers >> np.arange(nodes - 1)) & 1
    return np.hstack([np.zeros((len(rest), 1)), rest])


def _grown(weights: Floats, now: tuple[frozenset[int], ...], place: Mapping[int, int]) -> Floats:
    """(parts, nodes) parts that each began as one node and took in whoever made the cut cheaper; 1 where in it.

    Where the nodes are two clusters now, also each of these with one node more or less.
    """
    count = len(weights)
    degree = weights.sum(axis=1)
    parts = np.eye(count)[np.argsort(degree, kind="stable")[:STARTS]]
    for _ in range(count - 2):
        costs = np.where(parts > 0, np.inf, degree - 2 * parts @ weights)
        cheapest = costs.argmin(axis=1)
        grows = (costs[np.arange(len(parts)), cheapest] < -1e-9) & (parts.sum(axis=1) < count - 1)
        if not grows.any():
            break
        parts[np.flatnonzero(grows), cheapest[grows]] = 1
    if now:
        of = np.array([node in now[0] for node in place], float)
        moved = np.abs(of - np.eye(count))
        parts = np.vstack([parts, moved[(moved.sum(axis=1) > 0) & (moved.sum(axis=1) < count)]])
    whole = np.where(parts[:, :1] > 0, 1 - parts, parts)  # a part and its rest are one division
    return np.unique(whole, axis=0)


def _together(clusters: Sequence[frozenset[int]]) -> set[Pair]:
    return {pair for one in clusters for pair in combinations(sorted(one), 2)}
