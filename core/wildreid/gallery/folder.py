"""The folder of a gallery: read as it is now, and changed in one step."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from wildreid.gallery import features, journal, segments
from wildreid.gallery.manifest import FILE, FORMAT, Manifest, Matching, Segment
from wildreid.gallery.state import State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.gallery.features import Points


class Folder:
    """Reads a gallery, and commits changes of it; reading is safe from any number of threads and processes.

    Args:
        folder: of a gallery.

    Raises:
        UserError: it is no gallery, or it is damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._reading = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._state: State | None = None
        self._state = self.state

    @property
    def state(self) -> State:
        """The gallery as it is now, whoever changed it last."""
        with self._reading:
            seen = self._stamp()
            if seen != self._seen:
                self._state = State.load(self.folder, self._state)
                self._seen = seen
            assert self._state is not None  # what was seen was read
            return self._state

    def _commit(
        self,
        state: State,
        kind: str,
        what: dict[str, Any],
        *,
        parts: tuple[Segment, ...] | None = None,
        matching: Matching | None = None,
    ) -> None:
        """Write the journal's line, then the manifest, which makes the change; the segments are written before."""
        manifest = state.manifest
        end = journal.write(self.folder, manifest.journal, kind, what)
        changed = {"segments": manifest.segments if parts is None else parts, "journal": end}
        manifest = manifest.model_copy(update={"format": FORMAT, **changed})
        if matching is not None:
            manifest = manifest.model_copy(update={"matching": matching})
        if kind in ("calibrate", "undo"):
            changes = journal.live(journal.read(self.folder, end))
            last = next(change for change in reversed(changes) if change.kind in ("create", "calibrate"))
            ruling = {"rule": last.what["rule"], "fused": last.what.get("fused")}
            manifest = Manifest.model_validate({**dict(manifest), **ruling})
        manifest.save(self.folder)
        segments.remove(self.folder, manifest.segments)

    def _extended(
        self, state: State, rows: pa.Table, embeddings: Iterable[Floats], points: Sequence[Points]
    ) -> tuple[Segment, ...]:
        """All segments with a new last one, which takes in the old one where that is still small."""
        known = state.manifest.segments
        kept, number = segments.lasting(known), state.manifest.journal.changes + 1
        width = state.manifest.model.width
        points = [one.of_change(number) for one in points]
        if kept != known:
            old = known[-1]
            rows = pa.concat_tables([segments.read_annotations(self.folder, old), rows])
            embeddings = chain([state.matrices[-1]], embeddings)
            points = [*_together(state.points[-1], old.rows, points, len(rows) - old.rows)]
        return (*kept, segments.write(self.folder, f"{number:08d}", rows, embeddings, width, points))

    def _described(self, state: State, keys: Sequence[str], points: Sequence[Points]) -> tuple[Segment, ...]:
        """All segments, where rows without local features have those of their keys."""
        number = state.manifest.journal.changes + 1
        index = pd.Index(keys)
        parts, start = [], 0
        for segment in state.manifest.segments:
            end = start + segment.rows
            positions = index.get_indexer(pd.Index(state.rows["key"].iloc[start:end]))
            found = {one.name: one for one in segment.features}
            for one in points:
                own = one.select(positions).of_change(number)
                old = state.local.get(one.matcher)
                here = own if old is None else old.select(np.arange(start, end)).filled(own)
                if (positions >= 0).any():
                    name = f"{number:08d}-{segment.name}"
                    written = segments.write_points(self.folder, name, here)
                    found = {key: other for key, other in found.items() if other.matcher != one.matcher}
                    found[written.name] = written
            parts.append(segment.model_copy(update={"features": tuple(found.values())}))
            start = end
        return tuple(parts)

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = (self.folder / FILE).stat()
        except FileNotFoundError:
            return (0,)
        return found.st_mtime_ns, found.st_ino, found.st_size


def _together(old: Sequence[Points], before: int, new: Sequence[Points], after: int) -> Iterator[Points]:
    """Local features of two groups of rows, one behind the other; a new fingerprint takes an old one's place."""
    for one in new:
        same = [
            other for other in old if (other.matcher, other.fingerprint) == (one.matcher, one.fingerprint)
        ]
        yield features.joined([*(same or [one.select(np.full(before, -1))]), one])
    named = {one.matcher for one in new}
    for one in old:
        if one.matcher not in named:
            yield features.joined([one, one.select(np.full(after, -1))])
