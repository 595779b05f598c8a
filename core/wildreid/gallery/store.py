"""A gallery on disk: open it and change it; each change is locked, atomic, written down and undoable."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.gallery import journal, segments
from wildreid.gallery.admission import (
    Added,
    check_embeddings,
    check_mark,
    check_name,
    check_points,
    own_rows,
    sort_out,
)
from wildreid.gallery.fold import fold
from wildreid.gallery.folder import Folder
from wildreid.gallery.journal import Change
from wildreid.gallery.lock import locked
from wildreid.gallery.manifest import EXACT_UP_TO, FILE, FORMAT, JournalEnd, Manifest, Mark, Matching
from wildreid.gallery.rule import Rule
from wildreid.recipe.settings import Encounters

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.gallery.features import Points


class Gallery(Folder):
    """A folder of known individuals. Reading is safe from any number of threads and processes.

    Args:
        folder: a gallery that `Gallery.create` made.

    Raises:
        UserError: it is no gallery, or it is damaged.
    """

    @classmethod
    def create(
        cls,
        folder: str | Path,
        model: Mark,
        *,
        rule: Rule | None = None,
        fused: Rule | None = None,
        matching: Matching | None = None,
        licence: str = "",
        provenance: Mapping[str, Any] | None = None,
        encounters: Encounters | None = None,
        exact_up_to: int = EXACT_UP_TO,
        apart: Sequence[str] = (),
    ) -> Gallery:
        """Make an empty gallery in a folder that is new or empty.

        Raises:
            UserError: there is something in the folder already.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if (folder / FILE).exists():
                raise UserError(
                    f"{folder} is a gallery already",
                    cure="add to it with: reid gallery add, or choose another",
                )
            manifest = Manifest(
                format=FORMAT,
                model=model,
                rule=rule,
                fused=fused,
                matching=matching,
                licence=licence,
                provenance=dict(provenance or {}),
                encounters=encounters or Encounters(),
                exact_up_to=exact_up_to,
                apart=tuple(apart),
            )
            what = _rules(rule, fused)
            end = journal.write(folder, JournalEnd(), "create", what)
            manifest.model_copy(update={"journal": end}).save(folder)
        return cls(folder)

    def discard(self) -> None:
        """Remove a gallery that nothing was added to yet, its folder too.

        Raises:
            UserError: something was added; nobody's work is removed.
        """
        if self.state.manifest.segments:
            raise UserError("the gallery holds images", where=str(self.folder))
        shutil.rmtree(self.folder)

    def add(
        self,
        annotations: pd.DataFrame,
        embeddings: Floats,
        *,
        model: Mark,
        source: str = "",
        reviews: Sequence[int] = (),
        points: Sequence[Points] = (),
    ) -> Added:
        """Add annotations of named individuals.

        Args:
            annotations: ``key``, ``identity``, and of the other columns in `segments.COLUMNS` what is known.
            embeddings: (rows, width) unit length.
            model: whose embeddings they are.
            source: where they came from, for the journal.
            reviews: the numbers of the reviews that decided it, for the journal, as in `merge` and `split`.
            points: their local features, by each matcher of the gallery that there are some of.

        Raises:
            UserError: they are another model's or matcher's; an embedding is not of unit length.
        """
        with locked(self.folder):
            state = self.state
            check_mark(state.manifest.model, model, self.folder)
            check_embeddings(embeddings, len(annotations), model.width)
            check_points(points, len(annotations), state.manifest.matching)
            keep, left = sort_out(annotations.reset_index(drop=True), state)
            if not len(keep):
                return Added(0, 0, left)
            rows = annotations.iloc[keep].assign(change=state.manifest.journal.changes + 1)
            people = int(rows["identity"].nunique())
            what = {"rows": len(rows), "individuals": people, "source": source}
            what |= _by(reviews)
            own = [one.select(keep) for one in points]
            vectors = segments.blocks(embeddings, keep)
            parts = self._extended(state, segments.as_arrow(rows), vectors, own)
            self._commit(state, "add", what, parts=parts)
            return Added(len(rows), people, left)

    def rename(self, individual: str, to: str) -> None:
        """Give an individual another name."""
        with locked(self.folder):
            state = self.state
            state.code(individual)
            check_name(to)
            if to in state.individuals:
                raise UserError(
                    f"there is an individual named '{to}' already",
                    cure="if they are one animal: reid gallery merge",
                )
            self._commit(state, "rename", {"individual": individual, "to": to})

    def merge(self, individual: str, into: str, *, reviews: Sequence[int] = ()) -> None:
        """Two names were one animal: give all images of one to the other."""
        with locked(self.folder):
            state = self.state
            state.code(individual)
            state.code(into)
            if individual == into:
                raise UserError("an individual cannot be merged into itself")
            if said := state.told_apart(state.keys_of(individual), into):
                raise UserError(
                    f"'{individual}' and '{into}' are two animals: {said.author} said so on {said.time[:10]}",
                    cure="if that was wrong, undo the decision in reid review",
                )
            self._commit(state, "merge", {"individual": individual, "into": into, **_by(reviews)})

    def split(self, individual: str, into: str, keys: Sequence[str], *, reviews: Sequence[int] = ()) -> None:
        """Some images of an individual are of another, new or known: give them to it."""
        with locked(self.folder):
            state = self.state
            rows = own_rows(state, individual, keys)
            check_name(into)
            if individual == into:
                raise UserError("the images are that individual's already")
            if len(rows) == len(state.rows_of(individual)):
                raise UserError(
                    f"these are all images of '{individual}'",
                    cure="reid gallery merge" if into in state.individuals else "reid gallery rename",
                )
            what = {"individual": individual, "into": into, "keys": sorted(set(keys)), **_by(reviews)}
            self._commit(state, "split", what)

    def remove(self, individual: str, keys: Sequence[str] | None = None) -> None:
        """Take an individual out, or some of its images; undo brings them back."""
        with locked(self.folder):
            state = self.state
            state.code(individual)
            if keys is not None:
                own_rows(state, individual, keys)
            self._commit(state, "remove", {"individual": individual, "keys": sorted(set(keys or ()))})

    def describe(
        self, keys: Sequence[str], points: Sequence[Points], *, matching: Matching | None = None
    ) -> int:
        """Keep local features of annotations that are there, and say of how many there were none before.

        Args:
            keys: of the annotations; others than the gallery's are passed over.
            points: (keys,) features of each matcher.
            matching: how photos are matched from now on; None: as before.

        Raises:
            UserError: they are another matcher's.
        """
        with locked(self.folder):
            state = self.state
            check_points(points, len(keys), matching or state.manifest.matching)
            rows = np.array([state.row_of.get(key, -1) for key in keys], np.int64)
            new = np.zeros(len(keys), bool)
            for one in points:
                old = state.local.get(one.matcher)
                had = np.zeros(len(keys), bool) if old is None else old.select(rows).there
                new |= one.there & (rows >= 0) & ~had
            if new.any() or matching not in (None, state.manifest.matching):
                what = {"matchers": [one.matcher for one in points], "rows": int(new.sum())}
                parts = self._described(state, np.asarray(keys, object)[new].tolist(),
                                        [one.select(np.flatnonzero(new)) for one in points])  # fmt: skip
                self._commit(state, "features", what, parts=parts, matching=matching)
            return int(new.sum())

    def calibrate(self, rule: Rule | None, fused: Rule | None = None) -> None:
        """Replace decision and calibration: for cosine similarities, and for what matchers have a part in."""
        with locked(self.folder):
            self._commit(self.state, "calibrate", _rules(rule, fused))

    def different(self, keys: Sequence[str], others: Sequence[str], *, reviews: Sequence[int] = ()) -> None:
        """Two groups of annotations, in the gallery or not yet, show two animals: they are never put together."""
        with locked(self.folder):
            what = {"keys": sorted(set(keys)), "others": sorted(set(others)), **_by(reviews)}
            if not keys or not others or set(keys) & set(others):
                raise UserError("two groups without a common image can be different, and no others")
            self._commit(self.state, "different", what)

    def withdraw(self, number: int, *, reviews: Sequence[int] = ()) -> None:
        """Take back one change of any age: what came after it stays as if it had never been.

        Raises:
            UserError: there is no such change that counts; or a later one cannot be without it.
        """
        with locked(self.folder):
            state = self.state
            live = [change for change in journal.live(state.changes) if change.number == number]
            if not live or live[0].kind in ("create", "calibrate", "withdraw"):
                raise UserError(f"there is no change {number} that can be withdrawn", where=str(self.folder))
            what = {"change": number, **_by(reviews)}
            try:
                fold([*journal.live(state.changes), replace(live[0], kind="withdraw", what=what)], state.rows)
            except KeyError as error:
                raise UserError(
                    f"a later change speaks of {error}, who would not be there without change {number}",
                    cure="take that one back first",
                ) from None
            self._commit(state, "withdraw", what)

    def undo(self) -> Change:
        """Take back the last change that was not yet taken back, and return it.

        Raises:
            UserError: there is none left.
        """
        with locked(self.folder):
            state = self.state
            last = journal.live(state.changes)[-1]
            if last.kind == "create":
                raise UserError("there is nothing left to undo", where=str(self.folder))
            self._commit(state, "undo", {"undone": last.number})
            return last


def _rules(rule: Rule | None, fused: Rule | None) -> dict[str, Any]:
    what: dict[str, Any] = {"rule": asdict(rule) if rule else None}
    return what | ({"fused": asdict(fused)} if fused else {})


def _by(reviews: Sequence[int]) -> dict[str, Any]:
    return {"reviews": list(reviews)} if reviews else {}
