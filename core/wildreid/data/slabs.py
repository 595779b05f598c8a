"""The files of a cache: slabs of records of one length that are only added to, and an index of where each is."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from wildreid.places import caching, database

_SLAB = 256 * 2**20
_SCHEMA = """
create table if not exists slabs (name text primary key, record integer, count integer, used real);
create table if not exists records (key blob primary key, slab text, slot integer) without rowid;
create index if not exists by_slab on records (slab);
"""


class Place(NamedTuple):
    """Where a record is: the name of its slab, and its number in it."""

    slab: str
    slot: int


NOWHERE = Place("", -1)


class Slabs:
    """A cache folder, open for records of one length, such as the pixels of images of one size.

    Slots are never written twice and slabs have names of their own, so a process that has mapped a slab
    never sees another record under a slot, whatever others do. A batch is in the index only after its records
    are on disk. To stay under the limit, slabs that nobody used for longest are deleted whole.

    Any thread may use it, one at a time.

    Args:
        folder: where the slabs and ``slabs.sqlite`` are; made if it is not there.
        record: bytes of one record.
        limit: bytes that all slabs together may have.
        suffix: of the slabs' names.
    """

    def __init__(self, folder: Path, *, record: int, limit: int, suffix: str) -> None:
        self.folder, self.record, self.limit, self.suffix = folder, record, limit, suffix
        self._capacity = max(1, _SLAB // record)
        self._mine: set[str] = set()
        with caching(folder):
            self._base = database(folder / "slabs.sqlite", _SCHEMA)
            self._base.execute("create temp table wanted (key blob primary key)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        """Where the records of these keys are; those that are not in the cache are left out."""
        with self._writing():
            return self._find(keys)

    def add(self, records: Mapping[bytes, NDArray[Any]]) -> dict[bytes, Place]:
        """Keep records; what another process kept meanwhile is found, what has no room is left out."""
        with self._writing():
            found = self._find(records)
            new = [key for key in records if key not in found]
            new = new[: self._room(len(new))]
            while new:
                name, count = self._slab()
                batch, new = new[: self._capacity - count], new[self._capacity - count :]
                self._write(name, count, [records[key] for key in batch])
                places = {key: Place(name, count + n) for n, key in enumerate(batch)}
                self._base.executemany(
                    "insert into records values (?, ?, ?)", [(key, *place) for key, place in places.items()]
                )
                self._base.execute(
                    "update slabs set count = ?, used = ? where name = ?",
                    (count + len(batch), time.time(), name),
                )
                self._mine.add(name)
                found.update(places)
        return found

    def reader(self, places: Iterable[Place], *, shape: tuple[int, ...], dtype: str) -> Records:
        """What reads the records at these places, in their order, as arrays of this form."""
        names: dict[str, int] = {}
        pairs = [(names.setdefault(slab, len(names)) if slot >= 0 else -1, slot) for slab, slot in places]
        return Records(
            [self.folder / name for name in names], np.array(pairs, np.int64).reshape(-1, 2), shape, dtype
        )

    def _find(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        self._base.execute("delete from wanted")
        self._base.executemany("insert or ignore into wanted values (?)", ((key,) for key in keys))
        rows = self._base.execute(
            "select r.key, r.slab, r.slot from wanted w join records r on r.key = w.key"
        ).fetchall()
        names = {slab for _, slab, _ in rows}
        broken = {name for name in names - self._mine if not self._whole(name)}
        for name in broken:
            self._forget(name)
        kept = names - broken
        self._mine |= kept
        self._base.executemany(
            "update slabs set used = ? where name = ?", [(time.time(), name) for name in kept]
        )
        return {key: Place(slab, slot) for key, slab, slot in rows if slab not in broken}

    def _whole(self, name: str) -> bool:
        row = self._base.execute("select record, count from slabs where name = ?", (name,)).fetchone()
        try:
            return row is not None and (self.folder / name).stat().st_size >= row[0] * row[1]
        except OSError:
            return False

    def _slab(self) -> tuple[str, int]:
        """A slab with room, and how many records it has."""
        row = self._base.execute(
            "select name, count from slabs where record = ? and count < ? order by used desc limit 1",
            (self.record, self._capacity),
        ).fetchone()
        if row is not None and (row[0] in self._mine or self._whole(row[0])):
            return str(row[0]), int(row[1])
        name = f"{self.record}-{uuid.uuid4().hex}.{self.suffix}"
        self._base.execute("insert into slabs values (?, ?, 0, ?)", (name, self.record, time.time()))
        return name, 0

    def _write(self, name: str, slot: int, records: Sequence[NDArray[Any]]) -> None:
        with open(self.folder / name, "r+b" if slot else "wb") as file:
            file.seek(slot * self.record)
            for record in records:
                file.write(record.data)
            file.flush()
            os.fsync(file.fileno())

    def _room(self, wanted: int) -> int:
        """For how many records there is room, after deleting what was not used for longest."""
        held = self._base.execute("select name, record * count from slabs order by used").fetchall()
        free = self.limit - sum(size for _, size in held)
        for name, size in held:
            if free >= wanted * self.record:
                break
            if name not in self._mine and self._forget(name):
                free += size
        return int(max(0, min(wanted, free // self.record)))

    def _forget(self, name: str) -> bool:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError:  # a system that keeps files in use
            return False
        self._base.execute("delete from records where slab = ?", (name,))
        self._base.execute("delete from slabs where name = ?", (name,))
        return True

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        with caching(self.folder):
            self._base.execute("begin immediate")
            try:
                yield
                self._base.execute("commit")
            except BaseException:
                if self._base.in_transaction:  # a full disk has rolled it back already
                    self._base.execute("rollback")
                raise


class Records:
    """Records of rows, read from mapped slabs. It can be pickled: what is mapped is mapped again.

    Args:
        slabs: the files.
        places: (rows, 2) number of the slab and slot of each row's record; -1 where it has none.
        shape: of one record.
        dtype: of its numbers.
    """

    def __init__(
        self, slabs: Sequence[Path], places: NDArray[np.int64], shape: tuple[int, ...], dtype: str
    ) -> None:
        self._slabs, self._places, self.shape, self.dtype = list(slabs), places, shape, dtype
        self._maps: dict[int, NDArray[Any] | None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def select(self, rows: NDArray[np.integer[Any]]) -> Records:
        """These rows alone, in this order."""
        return Records(self._slabs, self._places[rows], self.shape, self.dtype)

    def take(
        self, rows: NDArray[np.integer[Any]], *, part: slice = slice(None)
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Copies of these rows' records, in this order, and the positions in it that could not be had.

        What had no room in the cache cannot, nor what was cleared from it since.

        Args:
            rows: whose.
            part: of the first axis of a record, such as its first bytes.
        """
        length = len(range(*part.indices(self.shape[0])))
        taken = np.empty((len(rows), length, *self.shape[1:]), self.dtype)
        slab, slot = self._places[rows].T
        loose = slab < 0
        for number in np.unique(slab[~loose]):
            here = np.flatnonzero(slab == number)
            records = self._map(int(number))
            if records is None:
                loose[here] = True
            else:
                taken[here] = records[slot[here], part]
        return taken, np.flatnonzero(loose)

    def _map(self, number: int) -> NDArray[Any] | None:
        """One slab; None where the cache was cleared since the store was opened."""
        if number not in self._maps:
            try:
                flat = np.memmap(self._slabs[number], self.dtype, mode="r")
            except (OSError, ValueError):
                self._maps[number] = None
            else:
                record = int(np.prod(self.shape))
                self._maps[number] = flat[: len(flat) // record * record].reshape(-1, *self.shape)
        return self._maps[number]
