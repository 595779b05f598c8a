"""The state of a gallery at one moment: the rows of its segments, and what the journal makes of them."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.sets import join
from wildreid.errors import UserError
from wildreid.files import reading
from wildreid.gallery import features, journal, segments
from wildreid.gallery.features import Points
from wildreid.gallery.fold import GONE, fold
from wildreid.gallery.following import follow
from wildreid.gallery.journal import Change
from wildreid.gallery.manifest import Manifest
from wildreid.gallery.rule import Rule
from wildreid.option import did_you_mean

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints


@dataclass(frozen=True, eq=False)
class State:
    """Who is on each image; it never changes, so that any number of threads may read it.

    N rows in the order of the segments, removed ones included.

    Attributes:
        folder: the gallery.
        manifest: what it was read from.
        changes: all of the journal.
        rows: (N, …) the annotations, columns as in `segments.COLUMNS`; ``identity`` is as it was added.
        individuals: the names of those there are now, sorted.
        codes: (N,) each row's position in `individuals`; `GONE` where it was removed or its addition undone.
        matrices: the embeddings, one memory-mapped array a segment.
        rule: decision and calibration; None where none could be fitted.
        points: the local features in each segment's files, mapped into memory; see `local`.
        fused: decision and calibration of scores that matchers have a part in; None where there is none.
    """

    folder: Path
    manifest: Manifest
    changes: tuple[Change, ...]
    rows: pd.DataFrame
    individuals: tuple[str, ...]
    codes: NDArray[np.int32]
    matrices: tuple[Floats, ...]
    rule: Rule | None
    points: tuple[tuple[Points, ...], ...] = ()
    fused: Rule | None = None

    @classmethod
    def load(cls, folder: Path, before: State | None = None) -> State:
        """Read the gallery as it is now.

        Args:
            folder: the gallery.
            before: an earlier state of it, from which what has not changed is taken over.

        Raises:
            UserError: it is no gallery, or it is damaged.
        """
        manifest = Manifest.load(folder)
        while True:
            try:
                if before is not None and (after := follow(before, manifest)) is not None:
                    return after
                parts = [segments.read_annotations(folder, one) for one in manifest.segments]
                matrices = tuple(
                    segments.read_embeddings(folder, one, manifest.model.width) for one in manifest.segments
                )
                points = tuple(segments.read_points(folder, one) for one in manifest.segments)
                break
            except FileNotFoundError as error:
                again = Manifest.load(folder)
                if again == manifest:
                    raise UserError(
                        f"{error.filename} is missing",
                        where=str(folder),
                        cure="take it from a backup, or make the gallery again",
                    ) from None
                manifest = again  # a writer joined small segments while we read
        rows = segments.as_rows(parts)
        changes = journal.read(folder, manifest.journal)
        with reading(folder / journal.FILE, cure=journal.CURE):
            individuals, codes, rule, fused = fold(journal.live(changes), rows)
        return cls(folder, manifest, tuple(changes), rows, individuals, codes, matrices, rule, points, fused)

    @property
    def images(self) -> int:
        """How many annotations are in the gallery now."""
        return int(np.count_nonzero(self.codes != GONE))

    @cached_property
    def by_individual(self) -> tuple[Ints, Ints]:
        """Rows that are in the gallery, sorted by individual, and the (individuals + 1,) borders of each."""
        rows = np.argsort(self.codes, kind="stable")[np.count_nonzero(self.codes == GONE) :]
        borders = np.searchsorted(self.codes[rows], np.arange(len(self.individuals) + 1))
        return rows.astype(np.int64), borders.astype(np.int64)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each annotation that is in the gallery, by its key."""
        rows = np.flatnonzero(self.codes != GONE)
        return dict(zip(self.keys[rows], rows.tolist(), strict=True))

    @cached_property
    def keys(self) -> NDArray[np.object_]:
        """(N,) the key of each row."""
        return self.rows["key"].to_numpy(object)

    @cached_property
    def local(self) -> dict[str, Points]:
        """(N,) rows' local features by matcher, of the matchers of which there are some."""
        live = journal.counting(self.changes)
        parts = [(one.rows, own) for one, own in zip(self.manifest.segments, self.points, strict=True)]
        known = self.manifest.matching.known if self.manifest.matching else {}
        found = {name: features.gathered(parts, name, mark, live) for name, mark in known.items()}
        return {name: one for name, one in found.items() if one is not None}

    @cached_property
    def met(self) -> NDArray[np.int64]:
        """(N,) the number of each row's encounter: one individual at one camera on one date.

        Dates on both sides of midnight are one encounter where its images are near enough, as the gallery's
        ``encounters.midnight`` says; an undated image is one of its own. This is for people to read. Scores are
        measured more carefully: there an undated image may belong to any of its individual's days.
        """
        visit, names = pd.factorize(self.rows["visit"].fillna(""))
        pair, pairs = pd.factorize(self.codes.astype(np.int64) * (len(names) + 1) + visit)
        time = self.rows["timestamp"].to_numpy("datetime64[us]")
        camera = pd.factorize(self.rows["camera"])[0]
        order = np.lexsort((time, camera, self.codes))
        order = order[~np.isnat(time[order])]
        a, b = order[:-1], order[1:]
        within = np.timedelta64(round(self.manifest.encounters.midnight * 60e6), "us")
        linked = (self.codes[a] == self.codes[b]) & (camera[a] == camera[b]) & (pair[a] != pair[b])
        linked &= time[b] - time[a] < within
        return join(len(pairs), edges=[(pair[a[linked]], pair[b[linked]])])[pair]

    @cached_property
    def encounters(self) -> Ints:
        """(individuals,) how many encounters each has."""
        whose = np.full(self.met.max(initial=-1) + 1, GONE, np.int32)
        whose[self.met] = self.codes  # an encounter has one individual
        return np.bincount(whose[whose != GONE], minlength=len(self.individuals)).astype(np.int64)

    @cached_property
    def sizes(self) -> Ints:
        """(individuals,) how many images each has."""
        return np.diff(self.by_individual[1])

    @cached_property
    def last_seen(self) -> NDArray[np.datetime64]:
        """(individuals,) the date and time of each one's latest image; NaT where none is dated."""
        latest = np.full(len(self.individuals), np.datetime64("NaT", "us"))
        there = self.codes != GONE
        np.fmax.at(latest, self.codes[there], self.rows["timestamp"].to_numpy("datetime64[us]")[there])
        return latest

    def rows_of(self, individual: str) -> Ints:
        """The rows of one individual.

        Raises:
            UserError: there is none of this name.
        """
        rows, borders = self.by_individual
        code = self.code(individual)
        return rows[borders[code] : borders[code + 1]]

    def keys_of(self, individual: str) -> list[str]:
        """The keys of one individual's annotations; a UserError where there is none of this name."""
        return [str(key) for key in self.keys[self.rows_of(individual)]]

    @cached_property
    def different(self) -> dict[str, list[Change]]:
        """What people said is two animals, by the key of each annotation that they spoke of."""
        live = journal.live(self.changes)
        gone = {change.what["change"] for change in live if change.kind == "withdraw"}
        said: dict[str, list[Change]] = {}
        for change in live:
            if change.kind == "different" and change.number not in gone:
                for key in change.what["keys"] + change.what["others"]:
                    said.setdefault(key, []).append(change)
        return said

    def told_apart(self, keys: Sequence[str], individual: str) -> Change | None:
        """By which change a person said that these annotations do not show this individual; None: by none."""
        own = self.code(individual)
        for key in keys:
            for change in self.different.get(key, ()):
                other = "others" if key in change.what["keys"] else "keys"
                rows = (self.row_of.get(one) for one in change.what[other])
                if any(row is not None and self.codes[row] == own for row in rows):
                    return change
        return None

    def code(self, individual: str) -> int:
        """The position of a name in `individuals`.

        Raises:
            UserError: there is none of this name.
        """
        at = bisect_left(self.individuals, individual)
        if at == len(self.individuals) or self.individuals[at] != individual:
            raise UserError(
                f"no individual is named '{individual}'{did_you_mean(individual, self.individuals)}",
                where=str(self.folder),
                cure="reid gallery list shows them all",
            )
        return at

    def embeddings(self, rows: Ints) -> Floats:
        """(rows, width) the embeddings of some rows, read from their segments."""
        borders = np.cumsum([0, *(len(matrix) for matrix in self.matrices)])
        out = np.empty((len(rows), self.manifest.model.width), np.float32)
        where = np.searchsorted(borders, rows, side="right") - 1
        for number in np.unique(where):
            chosen = where == number
            out[chosen] = self.matrices[number][rows[chosen] - borders[number]]
        return out

    def digest(self) -> str:
        """A hash of what the gallery says, however it came to say it: neither journal nor row order count."""
        there = np.flatnonzero(self.codes != GONE)
        there = there[np.argsort(self.keys[there])]
        rows = self.rows.iloc[there].drop(columns=["change"])
        silent = [name for name in segments.SINCE_2 if rows[name].isna().all()]
        rows = rows.drop(columns=silent)  # what format 1 does not know says nothing there
        rows["identity"] = np.asarray(self.individuals, object)[self.codes[there]]
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.manifest.model.model_dump_json().encode())
        digest.update(json.dumps(_plain(self.rule) if self.rule else None).encode())
        digest.update(rows.to_csv(index=False).encode())
        for start in range(0, len(there), 4096):
            digest.update(self.embeddings(there[start : start + 4096]).tobytes())
        if self.fused:
            digest.update(json.dumps(_plain(self.fused)).encode())
        if self.manifest.matching:
            digest.update(self.manifest.matching.model_dump_json().encode())
        for one in self.local.values():
            for start in range(0, len(there), 1024):
                digest.update(one.take(there[start : start + 1024]).tobytes())
        return digest.hexdigest()


def _plain(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, without what earlier versions did not know where it says nothing."""
    plain = asdict(rule)
    for one in fields(rule.decision):
        if one.default is not MISSING and plain["decision"][one.name] == one.default:
            del plain["decision"][one.name]
    return plain
