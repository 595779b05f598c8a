"""A gallery on disk: open it and change it; each change is locked, atomic, written down and undoable."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from filelock import FileLock, Timeout

from wildreid.errors import UserError
from wildreid.files import ASIDE, refused
from wildreid.gallery import journal, segments
from wildreid.gallery.admission import Added, check_embeddings, check_mark, check_name, sort_out
from wildreid.gallery.journal import Change
from wildreid.gallery.manifest import EXACT_UP_TO, FILE, FORMAT, JournalEnd, Manifest, Mark, Segment
from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.progress import say
from wildreid.recipe.model import Encounters

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

WAIT = 600.0
"""Seconds to wait for another process that writes to the gallery."""


class Gallery:
    """A folder of known individuals. Reading is safe from any number of threads and processes.

    Args:
        folder: a gallery that `Gallery.create` made.

    Raises:
        UserError: it is no gallery, or it is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._reading = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._state = self.state

    @classmethod
    def create(
        cls,
        folder: str | Path,
        model: Mark,
        *,
        rule: Rule | None = None,
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
                licence=licence,
                provenance=dict(provenance or {}),
                encounters=encounters or Encounters(),
                exact_up_to=exact_up_to,
                apart=tuple(apart),
            )
            what = {"rule": asdict(rule) if rule else None}
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

    @property
    def state(self) -> State:
        """The gallery as it is now, whoever changed it last."""
        with self._reading:
            seen = self._stamp()
            if seen != self._seen:
                self._state = State.load(self.folder)
                self._seen = seen
            return self._state

    def add(
        self,
        annotations: pd.DataFrame,
        embeddings: Floats,
        *,
        model: Mark,
        source: str = "",
    ) -> Added:
        """Add annotations of named individuals.

        Args:
            annotations: ``key``, ``identity``, and of the other columns in `segments.COLUMNS` what is known.
            embeddings: (rows, width) unit length.
            model: whose embeddings they are.
            source: where they came from, for the journal.

        Raises:
            UserError: they are another model's; an embedding is not of unit length.
        """
        with locked(self.folder):
            state = self.state
            check_mark(state.manifest.model, model, self.folder)
            check_embeddings(embeddings, len(annotations), model.width)
            keep, left = sort_out(annotations.reset_index(drop=True), state)
            if not len(keep):
                return Added(0, 0, left)
            rows = annotations.iloc[keep].assign(change=state.manifest.journal.changes + 1)
            people = int(rows["identity"].nunique())
            what = {"rows": len(rows), "individuals": people, "source": source}
            self._commit(state, "add", what, rows=segments.as_arrow(rows), embeddings=embeddings[keep])
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

    def merge(self, individual: str, into: str) -> None:
        """Two names were one animal: give all images of one to the other."""
        with locked(self.folder):
            state = self.state
            state.code(individual)
            state.code(into)
            if individual == into:
                raise UserError("an individual cannot be merged into itself")
            self._commit(state, "merge", {"individual": individual, "into": into})

    def split(self, individual: str, into: str, keys: Sequence[str]) -> None:
        """Some images of an individual are of another, new or known: give them to it."""
        with locked(self.folder):
            state = self.state
            rows = self._own_rows(state, individual, keys)
            check_name(into)
            if individual == into:
                raise UserError("the images are that individual's already")
            if len(rows) == len(state.rows_of(individual)):
                raise UserError(
                    f"these are all images of '{individual}'",
                    cure="reid gallery merge" if into in state.individuals else "reid gallery rename",
                )
            self._commit(state, "split", {"individual": individual, "into": into, "keys": sorted(set(keys))})

    def remove(self, individual: str, keys: Sequence[str] | None = None) -> None:
        """Take an individual out, or some of its images; undo brings them back."""
        with locked(self.folder):
            state = self.state
            state.code(individual)
            if keys is not None:
                self._own_rows(state, individual, keys)
            self._commit(state, "remove", {"individual": individual, "keys": sorted(set(keys or ()))})

    def calibrate(self, rule: Rule | None) -> None:
        """Replace decision and calibration."""
        with locked(self.folder):
            self._commit(self.state, "calibrate", {"rule": asdict(rule) if rule else None})

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

    def _own_rows(self, state: State, individual: str, keys: Sequence[str]) -> Ints:
        own = state.rows_of(individual)
        if not keys:
            raise UserError("no image is named", cure="reid gallery show lists an individual's images")
        rows = np.array([state.row_of.get(key, -1) for key in set(keys)], np.int64)
        if not np.isin(rows, own).all():
            strange = next(key for key in keys if state.row_of.get(key, -1) not in set(own.tolist()))
            raise UserError(
                f"'{individual}' has no image {strange}", cure="reid gallery show lists its images"
            )
        return rows

    def _commit(
        self,
        state: State,
        kind: str,
        what: dict[str, Any],
        *,
        rows: pa.Table | None = None,
        embeddings: Floats | None = None,
    ) -> None:
        """Write the segment, then the journal's line, then the manifest, which makes the change."""
        manifest = state.manifest
        parts = manifest.segments
        if rows is not None and embeddings is not None:
            parts = (*_settled(parts), self._segment(state, rows, embeddings))
        end = journal.write(self.folder, manifest.journal, kind, what)
        manifest = manifest.model_copy(update={"format": FORMAT, "segments": parts, "journal": end})
        if kind in ("calibrate", "undo"):
            changes = journal.live(journal.read(self.folder, end))
            last = next(change for change in reversed(changes) if change.kind in ("create", "calibrate"))
            manifest = Manifest.model_validate({**dict(manifest), "rule": last.what["rule"]})
        manifest.save(self.folder)
        segments.remove(self.folder, {part.name for part in manifest.segments})

    def _segment(self, state: State, rows: pa.Table, embeddings: Floats) -> Segment:
        """A new last segment, which takes in the old one where that is still small."""
        known = state.manifest.segments
        if _settled(known) != known:
            rows = pa.concat_tables([segments.read_annotations(self.folder, known[-1]), rows])
            embeddings = np.concatenate([state.matrices[-1], embeddings])
        name = f"{state.manifest.journal.changes + 1:08d}"
        return segments.write(self.folder, name, rows, embeddings)

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = (self.folder / FILE).stat()
        except FileNotFoundError:
            return (0,)
        return found.st_mtime_ns, found.st_ino, found.st_size


def _settled(parts: tuple[Segment, ...]) -> tuple[Segment, ...]:
    return parts[:-1] if parts and parts[-1].rows < segments.SETTLED else parts


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Write alone to the gallery in this folder, and first clear away what an interrupted writer has left.

    Raises:
        UserError: another process goes on writing; the system refuses to write, as where one may only read.
    """
    try:
        with _acquired(folder):
            for path in folder.glob(f"*{ASIDE}"):
                path.unlink()
            yield
    except OSError as error:
        raise refused(error) from error


@contextmanager
def _acquired(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another process is writing to {folder}; waiting for it …")
        try:
            lock.acquire(timeout=WAIT)
        except Timeout:
            raise UserError(
                f"another process has been writing to {folder} for {WAIT:.0f} s",
                cure="try again when it is done",
            ) from None
    try:
        yield
    finally:
        lock.release()
