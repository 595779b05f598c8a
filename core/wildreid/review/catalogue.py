"""The encounters of a gallery as a graph of what may be one animal; it follows what is added and decided."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State
from wildreid.review.journal import Review
from wildreid.review.order import LEAST, STOP, SURE, TRUST, Graph, Pair, weight
from wildreid.review.tasks import Task, task_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints

NEIGHBOURS = 10
"""Encounters beside which each one of the gallery is looked at."""
OWN = 20
"""Encounters of an individual up to which all of its pairs are looked at; of more, the nearest alone."""
BLOCK = 512
"""Encounters that are compared with all others at once."""
WORD = 0.97
"""How far somebody's word is trusted that the encounters of one name are of one animal."""


class Catalogue:
    """What may be one animal under two names, or two under one.

    A node is an encounter. What the model says of two is a weight that stays; a person's decision takes its
    place until it is undone, and what cannot be told weighs nothing.

    Args:
        state: the gallery, whose rule tells known from new.
        stopping: once it is set nothing more is compared: nobody will ask.
    """

    def __init__(self, state: State, stopping: threading.Event | None = None) -> None:
        assert state.rule is not None
        self._stopping = stopping or threading.Event()
        self.graph = Graph({}, [])
        self._rule = state.rule.decision
        self._keys: list[tuple[str, ...]] = []
        self._node: dict[str, int] = {}
        self._rows = np.empty(0, np.int64)  # of each node its first photo that is in the gallery
        self._names = np.empty(0, object)  # None for a node that is not there any more
        self._sides: list[str] = []
        self._images: list[frozenset[str]] = []
        self._means = np.empty((0, state.manifest.model.width), np.float32)
        self._chances: dict[Pair, float] = {}
        self._beside: dict[int, list[int]] = {}
        self._told: dict[Pair, float] = {}
        self.follow(state, ())

    @classmethod
    def of(cls, state: State, stopping: threading.Event | None = None) -> Catalogue | None:
        """None where the gallery is not calibrated, and so nothing can be weighed."""
        if state.rule is None or not state.rule.decision.tells or not len(state.individuals):
            return None
        return cls(state, stopping)

    def follow(self, state: State, lines: Sequence[Review]) -> None:
        """Come to what the gallery is now.

        Args:
            state: the gallery.
            lines: the reviews that count.
        """
        first = len(self._keys)
        self._take_in(state)
        names = self._named(state)
        changed = {*np.flatnonzero(names[:first] != self._names).tolist(), *range(first, len(names))}
        self._names = names
        pairs = self._compare(state, first)
        told = self._decided(state, lines)
        new = {pair for pair in told.keys() | self._told.keys() if told.get(pair) != self._told.get(pair)}
        self._told = told
        stale = {pair for node in changed for pair in self._pairs_of(node)} | pairs | new
        self.graph.group(self._clusters(changed | {node for pair in new for node in pair}))
        for i, j in (pair for pair, value in told.items() if value == SURE):
            self.graph.group([self.graph.cluster(i) | self.graph.cluster(j)])  # though it is not applied yet
        for pair in stale:
            self.graph.weigh(pair, told[pair] if pair in told else self._weight(pair))

    def tasks(self, *, thorough: bool = False) -> list[Task]:
        """The pairs worth a question, the one that may change most first.

        Args:
            thorough: also those that one answer of usual weight would not change; they come last.
        """
        found: dict[Pair, Task] = {}
        for one in self.graph.alternatives(LEAST if thorough else STOP):
            if one.gain > SURE:
                continue  # a person has decided it, and the gallery follows when it is applied
            for i, j in self.graph.deciding(one)[:1]:
                same, tier = self._names[i] == self._names[j], 1 if one.gain >= STOP else 5
                a, b = self._keys[i], self._keys[j]
                task = Task(
                    task_id(a, b), "compare", a, b, tier=tier, value=one.gain, date="9999", together=same
                )
                found.setdefault((i, j), task)
        return list(found.values())

    def _take_in(self, state: State) -> None:
        """Make nodes of encounters that are new here."""
        there = np.flatnonzero(state.codes != GONE)
        if self._node:
            there = there[[key not in self._node for key in state.keys[there]]]
        if not len(there):
            return
        met, _ = pd.factorize(state.met[there])
        order = np.argsort(met, kind="stable")
        rows = np.split(there[order], np.flatnonzero(np.diff(met[order])) + 1)
        sides = state.rows["viewpoint"].fillna("").to_numpy(object)
        images = state.rows["image"].to_numpy(object)
        for own in rows:
            self._node |= dict.fromkeys(map(str, state.keys[own]), len(self._keys))
            self._keys.append(tuple(map(str, state.keys[own])))
            self._sides.append(sides[own[0]])
            self._images.append(frozenset(images[own]))
        self._rows = np.concatenate([self._rows, [own[0] for own in rows]])
        means = np.stack([state.embeddings(own).mean(axis=0) for own in rows]).astype(np.float32)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        self._means = np.concatenate([self._means, means])

    def _named(self, state: State) -> NDArray[np.object_]:
        """(nodes,) who is on each encounter now; None where it is not there any more."""
        first = np.array([keys[0] for keys in self._keys], object)
        lost = self._rows >= len(state.codes)
        at = np.where(lost, 0, self._rows)
        lost |= (state.codes[at] == GONE) | (state.keys[at] != first)
        people = np.array([*state.individuals, None], object)
        for node in np.flatnonzero(lost):
            row = next((state.row_of[key] for key in self._keys[node] if key in state.row_of), None)
            self._rows[node] = at[node] = -1 if row is None else row
        return people[np.where(at < 0, len(people) - 1, state.codes[at])]

    def _compare(self, state: State, first: int) -> set[Pair]:
        """What the model says of nodes from `first` on and those most like them, and of their individuals' own."""
        if first == len(self._keys):
            return set()
        pairs = sorted({*self._nearest(self._means, first), *self._of_one_name(first)})
        vectors: dict[int, Floats] = {}

        def of(node: int) -> Floats:
            if node not in vectors:
                rows = [state.row_of[key] for key in self._keys[node] if key in state.row_of]
                vectors[node] = state.embeddings(np.array(rows, np.int64))
            return vectors[node]

        scores, bursts = np.zeros(len(pairs), np.float32), np.zeros(len(pairs), bool)
        for n, (i, j) in enumerate(pairs):
            if self._stopping.is_set():
                break
            one, other = of(i), of(j)
            if len(one) and len(other):
                each = one @ other.T  # as `encounter_similarity` has it
                scores[n] = (each.max(axis=1).mean() + each.max(axis=0).mean()) / 2
                bursts[n] = len(one) + len(other) > 2
        single, burst = (self._rule.probability(scores, burst=one) for one in (False, True))
        for pair, chance in zip(pairs, np.where(bursts, burst, single).tolist(), strict=True):
            self._chances[pair] = chance
            self._beside.setdefault(pair[0], []).append(pair[1])
            self._beside.setdefault(pair[1], []).append(pair[0])
        return set(pairs)

    def _of_one_name(self, first: int) -> Iterator[Pair]:
        """Pairs of encounters of one individual in which there is one from `first` on."""
        new = set(self._names[first:])
        own: dict[str, list[int]] = {}
        for node, name in enumerate(self._names):
            if name in new and name is not None:
                own.setdefault(name, []).append(node)
        for nodes in own.values():
            if len(nodes) <= OWN:
                yield from ((a, b) for k, a in enumerate(nodes) for b in nodes[k + 1 :] if b >= first)
            else:
                near = self._nearest(self._means[nodes], 0)
                yield from ((nodes[a], nodes[b]) for a, b in near if nodes[b] >= first)

    def _nearest(self, means: Floats, first: int) -> set[Pair]:
        """Each row from `first` on with the rows nearest to it."""
        count = min(NEIGHBOURS, len(means) - 1)
        pairs: set[Pair] = set()
        for start in range(first, len(means) if count > 0 else 0, BLOCK):
            if self._stopping.is_set():
                break
            rows = np.arange(start, min(start + BLOCK, len(means)))
            scores = means[rows] @ means.T
            scores[np.arange(len(rows)), rows] = -np.inf
            near: Ints = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            pairs |= {
                (min(a, b), max(a, b))
                for a, own in zip(rows.tolist(), near.tolist(), strict=True)
                for b in own
            }
        return pairs

    def _weight(self, pair: Pair) -> float:
        """By the model, and by the name that both have: somebody gave it."""
        i, j = pair
        chance = self._chances.get(pair)
        if chance is None or self._names[i] is None or self._names[j] is None:
            return 0.0
        if self._names[i] == self._names[j]:
            if self._sides[i] != self._sides[j]:
                return 0.0  # two sides cannot be compared
            chance = WORD * chance / (WORD * chance + (1 - WORD) * (1 - chance))
        elif self._images[i] & self._images[j]:
            return -SURE  # two animals of one photo
        return weight(chance)

    def _decided(self, state: State, lines: Sequence[Review]) -> dict[Pair, float]:
        """What people said of pairs: a constraint, one person's word, or that it cannot be told."""
        told: dict[Pair, float] = {}
        for line in lines:
            for keys, others, value in _said(line):
                for pair in self._nodes(keys, others):
                    if abs(value) >= abs(
                        told.get(pair, 0.0)
                    ):  # the later word, unless the earlier is stronger
                        told[pair] = value
        for change in {id(one): one for own in state.different.values() for one in own}.values():
            for pair in self._nodes(change.what["keys"], change.what["others"]):
                told[pair] = -SURE
        return told

    def _nodes(self, keys: Iterable[str], others: Iterable[str]) -> set[Pair]:
        ones, twos = ({self._node[key] for key in own if key in self._node} for own in (keys, others))
        return {(min(i, j), max(i, j)) for i in ones for j in twos if i != j}

    def _clusters(self, changed: set[int]) -> list[list[int]]:
        """The clusters in which something has changed: by name, and alone what is not there any more."""
        if not changed:
            return []
        touched = changed | {other for node in changed for other in self.graph.cluster(node)}
        names = {self._names[node] for node in touched}
        own: dict[str | int, list[int]] = {}
        for node, name in enumerate(self._names):
            if node in touched or (name is not None and name in names):
                own.setdefault(node if name is None else name, []).append(node)
        return list(own.values())

    def _pairs_of(self, node: int) -> Iterator[Pair]:
        return ((min(node, other), max(node, other)) for other in self._beside.get(node, ()))


def _said(line: Review) -> Iterator[tuple[Sequence[str], Sequence[str], float]]:
    """Groups of annotations that a decision speaks of, and what it says of them.

    Who says who it is has seen the other candidates, and says of each that it is not that one.
    """
    if line.mode == "compare":
        values = {"same": SURE, "different": -SURE, "cannot-tell": 0.0, "not-comparable": 0.0}
        if line.decision in values:
            yield line.keys[:1], line.others[:1], values[line.decision]
    elif line.decision in ("same", "new") and not line.blind:
        if line.decision == "same":
            yield line.keys, line.others, SURE
        others = set(line.others)
        yield line.keys, [one["id"] for one in line.shown if one["id"] not in others], -TRUST
