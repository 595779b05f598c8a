"""What a question looks like: the encounter's photos, and each candidate with photos of several encounters."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.gallery.state import State
from wildreid.identification.identify import Answer
from wildreid.identification.search import Search
from wildreid.review.applying import Newcomers, owner
from wildreid.review.journal import Review
from wildreid.review.tasks import Task

if TYPE_CHECKING:
    from wildreid.artefacts import Floats

CANDIDATES = 9
EXEMPLARS = 5


def of_encounter(search: Search, task: Task, newcomers: Newcomers, answer: Answer) -> dict[str, Any]:
    """An encounter of new photos beside the individuals that it may be.

    Args:
        search: the gallery.
        task: which encounter.
        newcomers: its photos.
        answer: what the gallery says.
    """
    rows, vector, side = _asked(task, newcomers)
    state = search.state
    near = [
        [row for row, _ in search.exemplars(vector, one.individual, EXEMPLARS, rows.iloc[[0]])]
        for one in answer.candidates
    ]
    told = iter(_facts(state.rows.iloc[[row for own in near for row in own]]))  # pandas is slow for each
    candidates = [
        _candidate(state, one.individual, side, [next(told) for _ in own], score=one.score, p=one.probability)
        for one, own in zip(answer.candidates, near, strict=True)
    ]
    return _view(rows, task.station, candidates, side, new=answer.new_probability)


def of_second_look(
    search: Search, task: Task, newcomers: Newcomers, first: Review, *, blind: bool, seed: str
) -> dict[str, Any]:
    """The same encounter beside the individuals that the first person was shown.

    Args:
        search: the gallery.
        task: which encounter.
        newcomers: its photos.
        first: the first decision.
        blind: show neither names nor scores, in an order of its own, with somebody who was no candidate.
        seed: of that order.
    """
    rows, vector, side = _asked(task, newcomers)
    candidates = _again(search, vector, task, first, side)
    if blind:
        candidates = _hidden([*candidates, *_foil(search.state, candidates, side, seed)], seed)
    return _view(rows, "" if blind else task.station, candidates, side, new=None)


def _asked(task: Task, newcomers: Newcomers) -> tuple[pd.DataFrame, Floats, str]:
    """The rows of an encounter, the embedding of its best photo and the side that this one shows."""
    at = [newcomers.places[key] for key in task.keys]
    rows = newcomers.found.rows.iloc[at].reset_index(drop=True)
    side = _side(rows["viewpoint"].iloc[0]) if "viewpoint" in rows else ""
    return rows, newcomers.found.embeddings[at[0]], side


def _view(
    rows: pd.DataFrame, place: str, candidates: list[dict[str, Any]], side: str, *, new: float | None
) -> dict[str, Any]:
    candidates.sort(key=lambda one: bool(one["other_side"]))
    return {
        "photos": _photos(_facts(rows)),
        "place": place,
        "candidates": candidates,
        "new_probability": new,
        "other_side": sum(one["other_side"] for one in candidates),
        "side": side,
    }


def of_pair(search: Search, task: Task) -> dict[str, Any]:
    """Two encounters of the gallery, side by side."""
    state = search.state
    left, right = (
        [state.row_of[key] for key in keys if key in state.row_of] for keys in (task.keys, task.others)
    )  # some may have been removed meanwhile
    name = owner(state, task.others) or ""
    other = _candidate(state, name, "", _facts(state.rows.iloc[right[:EXEMPLARS]]))
    return {
        "photos": _photos(_facts(state.rows.iloc[left])),
        "place": owner(state, task.keys),
        "candidates": [other],
        "new_probability": None,
        "other_side": 0,
        "side": "",
        "together": task.together,
    }


Fact = tuple[str, Any, str, bool]
"""Of a photo its key, its time or NaT, its side, and whether it is private."""


def _facts(rows: pd.DataFrame) -> list[Fact]:
    keys, times, sides, hidden = (
        rows[name].tolist() if name in rows else [None] * len(rows)
        for name in ("key", "timestamp", "viewpoint", "private")
    )
    return [
        (str(key), when, _side(side), bool(pd.notna(private) and private))
        for key, when, side, private in zip(keys, times, sides, hidden, strict=True)
    ]


def _photos(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Each photo's key, and what it is in words."""
    found = []
    for n, (key, when, side, private) in enumerate(facts):
        day: str = "no date" if pd.isna(when) else f"{when.day} {when:%B %Y}"
        words = ", ".join(filter(None, [f"photo {n + 1} of {len(facts)}", side and f"{side} side", day]))
        found.append({"key": key, "alt": words, "side": side, "private": private})
    return found


def _candidate(
    state: State,
    name: str,
    side: str,
    facts: Sequence[Fact],
    *,
    score: float | None = None,
    p: float | None = None,
) -> dict[str, Any]:
    """An individual with its exemplars, those of the same side first."""
    other = [bool(side and own and own != side) for _, _, own, _ in facts]
    shown = _photos([facts[n] for n in sorted(range(len(facts)), key=lambda n: other[n])])
    code = state.code(name)
    last = state.last_seen[code]
    return {
        "id": shown[0]["key"],
        "name": name,
        "score": score,
        "p": p,
        "images": int(state.sizes[code]),
        "encounters": int(state.encounters[code]),
        "last_seen": "" if np.isnat(last) else str(last.astype("datetime64[D]")),
        "other_side": bool(other) and all(other),
        "photos": shown,
    }


def _again(search: Search, query: Any, task: Task, first: Review, side: str) -> list[dict[str, Any]]:
    """The individuals that the first person was shown, and the one they chose, without this encounter's photos."""
    state, own = search.state, set(task.keys)
    names = [owner(state, [one["id"]]) for one in first.shown]
    names.append(owner(state, [key for key in first.others if key not in own]))
    found = []
    for name in dict.fromkeys(filter(None, names)):
        near = search.exemplars(query, name, EXEMPLARS + len(own))
        rows = [row for row, _ in near if state.keys[row] not in own][:EXEMPLARS]
        if rows:
            found.append(_candidate(state, name, side, _facts(state.rows.iloc[rows])))
    return found


def _foil(state: State, shown: Iterable[Mapping[str, Any]], side: str, seed: str) -> list[dict[str, Any]]:
    """Somebody who was no candidate, so that the right one is not known from being there."""
    names = {one["name"] for one in shown}
    others = [name for name in state.individuals if name not in names]
    if not others:
        return []
    name = random.Random(f"{seed} foil").choice(others)
    return [_candidate(state, name, side, _facts(state.rows.iloc[state.rows_of(name)[:EXEMPLARS]]))]


def _hidden(candidates: list[dict[str, Any]], seed: str) -> list[dict[str, Any]]:
    """The same in an order of its own, with letters for names and nothing that tells how often one was seen."""
    random.Random(seed).shuffle(candidates)
    told = {"score": None, "p": None, "images": None, "encounters": None, "last_seen": ""}
    return [{**one, **told, "name": f"candidate {n + 1}"} for n, one in enumerate(candidates)]


def _side(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
