"""The state after some more changes, made from the state before: what is known is not read or counted again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.files import reading
from wildreid.gallery import journal, segments
from wildreid.gallery.fold import GONE, fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from wildreid.gallery.manifest import Manifest, Segment
    from wildreid.gallery.state import State


def follow(before: State, manifest: Manifest) -> State | None:
    """The state that a manifest describes, where that only adds rows and changes to another.

    Args:
        before: an earlier state of the same gallery.
        manifest: the gallery's, now.

    Returns:
        What reading everything would give; None where that must be done, as after an undo.

    Raises:
        FileNotFoundError: a segment is not there, or no longer.
        UserError: the gallery is damaged.
    """
    old = before.manifest
    known = _known(old.segments, manifest.segments)
    same = (old.model, old.encounters) == (manifest.model, manifest.encounters)
    if known is None or not same or manifest.journal.changes < old.journal.changes:
        return None
    folder, unread = before.folder, manifest.segments[known:]
    first = sum(one.rows for one in manifest.segments[:known])
    parts = [segments.read_annotations(folder, one) for one in unread]
    rows, keys = before.rows, before.keys
    if parts:
        new = segments.as_rows(parts)
        again = new["key"].to_numpy(object)
        if not np.array_equal(again[: len(keys) - first], keys[first:]):
            return None
        rows = pd.concat([rows.iloc[:first], new], ignore_index=True)
        keys = np.concatenate([keys[:first], again])
    matrices = [segments.read_embeddings(folder, one, manifest.model.width) for one in unread]
    points = [segments.read_points(folder, one) for one in unread]
    changes = journal.read(folder, manifest.journal, known=(before.changes, old.journal))
    had, live = journal.live(before.changes), journal.live(changes)
    more = live[len(had) :]
    if live[: len(had)] != had or any(change.kind == "withdraw" for change in more):
        return None
    with reading(folder / journal.FILE, cure=journal.CURE):
        individuals, codes, rule, fused = fold(
            more, rows, after=(before.individuals, before.codes, before.rule, before.fused)
        )
    after = replace(
        before, manifest=manifest, changes=tuple(changes), rows=rows, individuals=individuals, codes=codes,
        matrices=(*before.matrices[:known], *matrices), rule=rule,
        points=(*before.points[:known], *points), fused=fused,
    )  # fmt: skip
    vars(after)["keys"] = keys  # a cached property looks there first
    if "row_of" in vars(before):
        vars(after)["row_of"] = _rows_of(before.row_of, before.codes, after.codes, keys)
    return after


def _known(old: tuple[Segment, ...], now: tuple[Segment, ...]) -> int | None:
    """How many segments are the same; None where what was there is not the beginning of what is there now.

    The last one that was there may have become the beginning of a longer one.
    """
    if now[: len(old)] == old:
        return len(old)
    if len(now) < len(old) or now[: len(old) - 1] != old[:-1] or now[len(old) - 1].rows < old[-1].rows:
        return None
    return len(old) - 1


def _rows_of(
    known: Mapping[str, int], old: NDArray[np.int32], now: NDArray[np.int32], keys: NDArray[np.object_]
) -> dict[str, int]:
    there = dict(known)
    left = np.flatnonzero((old != GONE) & (now[: len(old)] == GONE))
    came = np.flatnonzero(
        (now != GONE) & (np.pad(old, (0, len(now) - len(old)), constant_values=GONE) == GONE)
    )
    for row in left.tolist():
        if there.get(keys[row]) == row:
            del there[keys[row]]
    there.update(zip(keys[came], came.tolist(), strict=True))
    return there
