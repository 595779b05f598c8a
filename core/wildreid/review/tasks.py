"""What is asked: who is on an encounter of new photos, and whether two encounters of the gallery are one animal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State
from wildreid.identification.discover import encounter_similarity
from wildreid.review.agreement import drawn
from wildreid.review.order import STOP, Graph, Pair, graph

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.identification.outputs import Identified

NEIGHBOURS = 10
"""Encounters beside which each one of the gallery is looked at."""
ORDERS = ("likely", "date", "station", "random")


@dataclass(frozen=True)
class Task:
    """One question.

    Attributes:
        id: hash of the keys of both sides, so that it is the same whenever it is asked.
        mode: identify or compare.
        keys: the annotations it is about, the best photo first.
        others: of `compare` the other side.
        tier: 1 likely merges, 2 undecided, 3 known and drawn for an audit, 4 new.
        value: within its tier, the larger the sooner.
        date: ISO 8601, for those who want them in order.
        station: likewise.
        together: of `compare`, whether both sides had one name when it was found.
    """

    id: str
    mode: str
    keys: tuple[str, ...]
    others: tuple[str, ...] = ()
    tier: int = 2
    value: float = 0.0
    date: str = ""
    station: str = ""
    together: bool = False


def task_id(*sides: Iterable[str]) -> str:
    """The hash of the keys of both sides."""
    text = "|".join(",".join(sorted(side)) for side in sorted(map(sorted, sides)))
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def of_photos(found: Identified, *, audit: float, salt: str) -> tuple[list[Task], int]:
    """The encounters of new photos to decide, and how many known ones were not drawn for the audit.

    Those whose photos the gallery holds already are no question.
    """
    tasks, passed = [], 0
    rows, state = found.rows, found.search.state
    for answer in found.encounters:
        own = rows.iloc[list(answer.rows)]
        keys = tuple(own["key"])
        if any(key in state.row_of for key in keys):
            continue
        number = task_id(keys)
        first = answer.candidates[0].probability if answer.candidates else None
        near = 0.25 if first is None else 0.5 - abs(first - 0.5)
        tier = {"undecided": 2, "known": 3}.get(answer.verdict, 4)
        if tier == 3 and not drawn(number, f"audit {salt}", audit):
            passed += 1
            continue
        place = own["station"].iloc[0] if "station" in own and pd.notna(own["station"].iloc[0]) else None
        place = place or own["camera"].iloc[0]
        tasks.append(
            Task(
                number, "identify", keys, tier=tier, value=near * len(keys), date=answer.date or "9999",
                station="" if pd.isna(place) else str(place),
            )
        )  # fmt: skip
    return tasks, passed


def ordered(tasks: Sequence[Task], order: str, salt: str) -> list[Task]:
    """Tasks in the order they are asked; random is the only honest one for a study of agreement."""
    keys = {
        "likely": lambda task: (task.tier, -task.value, task.id),
        "date": lambda task: (task.date, task.id),
        "station": lambda task: (task.station, task.date, task.id),
        "random": lambda task: task_id([salt, task.id]),
    }
    return sorted(tasks, key=keys[order])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Catalogue:
    """The encounters of a gallery as a graph of what may be one animal.

    Attributes:
        rows: of each encounter its rows in the gallery.
        graph: of encounters; what somebody put together weighs as one person's word more than the scores do.
    """

    rows: list[Ints]
    graph: Graph

    @classmethod
    def of(cls, state: State) -> Catalogue | None:
        """Compare each encounter with those most like it and with its individual's own; None: not calibrated."""
        if state.rule is None or not state.rule.decision.tells or not len(state.individuals):
            return None
        there = np.flatnonzero(state.codes != GONE)
        met, _ = pd.factorize(state.met[there])
        order = np.argsort(met, kind="stable")
        rows = np.split(there[order], np.flatnonzero(np.diff(met[order])) + 1)
        codes = np.array([state.codes[own[0]] for own in rows])
        pairs = _likely(state, rows, codes)
        side = state.rows["viewpoint"].fillna("").to_numpy(object)
        chances: dict[Pair, float] = {}
        decided: dict[Pair, bool] = {}
        vectors = [state.embeddings(own) for own in rows]
        images = state.rows["image"].to_numpy(object)
        for i, j in pairs:
            together = np.concatenate([vectors[i], vectors[j]])
            which = np.repeat([0, 1], [len(rows[i]), len(rows[j])])
            score = np.array([encounter_similarity(together, which)[0, 1]], np.float32)
            chance = float(state.rule.decision.probability(score, burst=len(together) > 2)[0])
            if codes[i] == codes[j]:  # its catalogue is somebody's word, and two sides are not comparable
                chance = 0.97 * chance / (0.97 * chance + 0.03 * (1 - chance))
                if side[rows[i][0]] != side[rows[j][0]]:
                    continue
            elif set(images[rows[i]]) & set(images[rows[j]]) or _apart(state, rows[i], rows[j]):
                decided[i, j] = False
            chances[i, j] = chance
        clusters = [np.flatnonzero(codes == code).tolist() for code in range(len(state.individuals))]
        return cls(rows, graph(chances, clusters, decided=decided))

    def tasks(self, state: State) -> list[Task]:
        """The pairs worth a question, the one that may change most first."""
        keys = state.rows["key"].to_numpy(object)
        found: dict[Pair, Task] = {}
        for one in self.graph.alternatives():
            for i, j in self.graph.deciding(one)[:1] if one.gain >= STOP else ():
                a, b = (tuple(map(str, keys[self.rows[n]])) for n in (i, j))
                same = state.codes[self.rows[i][0]] == state.codes[self.rows[j][0]]
                task = Task(task_id(a, b), "compare", a, b, tier=1, value=one.gain, together=bool(same))
                found.setdefault((i, j), task)
        return list(found.values())


def _apart(state: State, rows: Ints, others: Ints) -> bool:
    keys = [str(key) for key in state.rows["key"].to_numpy(object)[rows]]
    return state.told_apart(keys, state.individuals[state.codes[others[0]]]) is not None


def _likely(state: State, rows: list[Ints], codes: Ints) -> list[Pair]:
    """Pairs of encounters to compare: the nearest by their mean embeddings, and those of one individual."""
    means = np.stack([state.embeddings(own).mean(axis=0) for own in rows]).astype(np.float32)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    pairs: set[Pair] = set()
    for start in range(0, len(means), 1024):
        scores = means[start : start + 1024] @ means.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        count = min(NEIGHBOURS, len(means) - 1)
        for at, near in enumerate(
            np.argpartition(-scores, count - 1, axis=1)[:, :count] if count > 0 else ()
        ):
            pairs |= {(min(start + at, int(n)), max(start + at, int(n))) for n in near}
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)[:20]
        pairs |= {(int(a), int(b)) for n, a in enumerate(own) for b in own[n + 1 :]}
    return sorted(pairs)
