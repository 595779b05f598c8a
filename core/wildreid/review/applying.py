"""From decisions to changes of the gallery, each once, whenever the process was stopped in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.gallery import journal
from wildreid.gallery.journal import Change
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery
from wildreid.review.journal import Review, standing

if TYPE_CHECKING:
    from wildreid.identification.opened import OpenGallery
    from wildreid.identification.outputs import Identified

SOURCE = "reid review"


@dataclass(frozen=True)
class Newcomers:
    """Photos that are not in the gallery yet, with what answered them.

    Attributes:
        opened: the gallery with its model.
        found: the answers.
    """

    opened: OpenGallery
    found: Identified

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each annotation that can be added stands among those that were answered, by its key."""
        return {str(key): place for place, key in enumerate(self.found.rows["key"])}

    @cached_property
    def rows_of(self) -> dict[str, int]:
        """The row of each annotation in the table of all photos, by its key."""
        keys = self.found.table["key"]
        there = np.flatnonzero(keys.notna().to_numpy())[::-1]  # of two alike the first
        return {str(keys.iloc[row]): int(row) for row in there}


@dataclass(frozen=True)
class Made:
    """What the gallery's journal says of reviews.

    Attributes:
        ever: the kinds of the changes that each review has ever made.
        live: those changes that still count, by review.
        last: number of the last change that counts.
    """

    ever: dict[int, set[str]]
    live: dict[int, list[Change]]
    last: int

    @classmethod
    def of(cls, state: State) -> Made:
        """Read it off."""
        ever: dict[int, set[str]] = {}
        live: dict[int, list[Change]] = {}
        kept = journal.live(state.changes)
        gone = {change.what["change"] for change in kept if change.kind == "withdraw"}
        for change in state.changes:
            for number in change.what.get("reviews", ()):
                ever.setdefault(number, set()).add(change.kind)
        for change in kept:
            for number in change.what.get("reviews", ()):
                if change.number not in gone and change.kind != "withdraw":
                    live.setdefault(number, []).append(change)
        return cls(ever, live, kept[-1].number)

    def counts(self, review: Review) -> bool:
        """Whether what it decided was not taken back at the command line."""
        return review.number not in self.ever or review.number in self.live


def owner(state: State, keys: Iterable[str]) -> str | None:
    """Who is on these annotations now, whatever names and merges came between; None where they are gone."""
    for key in keys:
        row = state.row_of.get(key)
        if row is not None:
            return str(state.individuals[state.codes[row]])
    return None


def new_name(keys: Iterable[str], taken: Iterable[str]) -> str:
    """A name for a new individual, such as ``new-1f3a9c``, that is the same whenever it is asked for."""
    text, taken = hashlib.blake2b(min(keys).encode(), digest_size=16).hexdigest(), set(taken)
    return next(
        f"new-{text[:length]}"
        for length in range(6, 33)
        if length == 32 or f"new-{text[:length]}" not in taken
    )


def apply(gallery: Gallery, lines: Sequence[Review], newcomers: Newcomers | None) -> dict[int, str]:
    """Bring the gallery to what the standing decisions say; what is done already is not done again.

    Returns:
        why a decision could not be carried out yet, by its number.
    """
    waiting: dict[int, str] = {}
    stands = {line.number for line in standing(lines)}
    sides = {
        key: line.reason for line in standing(lines) if line.decision == "viewpoint" for key in line.keys
    }
    made = Made.of(gallery.state)
    undoing = {line.undoes: line.number for line in lines if line.decision == "undo"}
    for number in sorted((set(made.live) - stands) & set(undoing), reverse=True):
        for change in reversed(made.live[number]):
            if change.number == Made.of(gallery.state).last:
                gallery.undo()
            else:
                gallery.withdraw(change.number, reviews=[undoing[number]])
    for line in lines:
        if line.number not in stands or line.blind or line.decision in ("viewpoint", "undo"):
            continue
        if line.number in made.ever and made.ever[line.number] >= _kinds(line):
            continue
        try:
            why = _carry_out(gallery, line, newcomers, made.ever.get(line.number, set()), sides)
        except UserError as error:
            why = str(error)
        if why:
            waiting[line.number] = why
    return waiting


def _kinds(line: Review) -> set[str]:
    """The kinds of changes that a decision makes at least."""
    if line.mode == "identify":
        kind = {"same": "add", "new": "add", "different": "different"}.get(line.decision)
        return {kind} if kind else set()
    return {"different"} if line.decision == "different" else set()


def _carry_out(
    gallery: Gallery,
    line: Review,
    newcomers: Newcomers | None,
    had: set[str],
    sides: dict[str, str | None],
) -> str:
    """Make the changes of one decision; says why not where it must wait."""
    state = gallery.state
    if line.decision == "different":
        return _apart(gallery, line, had)
    if line.mode == "compare" and line.decision == "same" and "merge" not in had:
        one, other = owner(state, line.keys), owner(state, line.others)
        if one is None or other is None:
            return "its images are no longer in the gallery"
        if one != other:
            small, large = sorted((one, other), key=lambda name: (state.sizes[state.code(name)], name))
            gallery.merge(small, large, reviews=[line.number])
    elif line.mode == "identify" and line.decision in ("same", "new"):
        name = owner(state, line.others) if line.decision == "same" else line.individual
        if name is None:
            return f"'{line.individual}' is no longer in the gallery"
        if held := owner(state, line.keys):
            return "" if held == name else f"its photos are in the gallery as '{held}' already"
        if newcomers is None or not set(line.keys) <= newcomers.places.keys():
            return "its photos are not there: give the same PHOTOS again"
        _enter(newcomers, line, name, sides)
    return ""


def _apart(gallery: Gallery, line: Review, had: set[str]) -> str:
    state = gallery.state
    one, other = owner(state, line.keys), owner(state, line.others)
    if line.mode == "compare" and one is not None and one == other and "split" not in had:
        own = [key for key in line.keys if key in state.row_of]
        gallery.split(one, str(line.individual), own, reviews=[line.number])
    gallery.different(line.keys, line.others, reviews=[line.number])
    return ""


def _enter(newcomers: Newcomers, line: Review, name: str, sides: dict[str, str | None]) -> None:
    told: dict[str, Any] = {"identity": name, "method": "human", "decided_by": line.reviewer}
    told["decided_at"] = pd.to_datetime(line.time, utc=True)
    rows = newcomers.found.rows
    own = rows[rows["key"].isin(list(line.keys))]
    if any(key in sides for key in own["key"]):
        seen = own["viewpoint"] if "viewpoint" in own else [None] * len(own)
        told["viewpoint"] = [sides.get(key, side) for key, side in zip(own["key"], seen, strict=True)]
    newcomers.opened.take(newcomers.found, line.keys, source=SOURCE, reviews=[line.number], **told)
