"""The files of the image cache: slabs of pixels that are only added to, and an index that says where."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from wildreid.errors import UserError

_SLAB = 256 * 2**20
_SCHEMA = """
pragma temp_store = memory;
create table if not exists slabs (name text primary key, size integer, count integer, used real);
create table if not exists images (key blob primary key, slab text, slot integer) without rowid;
create index if not exists by_slab on images (slab);
create temp table wanted (key blob primary key);
"""


class Place(NamedTuple):
    """Where an image is: the name of its slab, and its number in it."""

    slab: str
    slot: int


NOWHERE = Place("", -1)


class Slabs:
    """The cache folder, open for one size of image.

    Slots are never written twice and slabs have names of their own, so a process that has mapped a slab
    never sees other pixels under a slot, whatever others do. A batch is in the index only after its pixels
    are on disk. To stay under the limit, slabs that nobody used for longest are deleted whole.

    Args:
        folder: where the slabs and ``index.sqlite`` are; made if it is not there.
        size: pixels a side.
        limit: bytes that all slabs together may have.
    """

    def __init__(self, folder: Path, *, size: int, limit: int) -> None:
        self.folder, self.size, self.limit = folder, size, limit
        self._bytes = 3 * size * size
        self._capacity = max(1, _SLAB // self._bytes)
        self._mine: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(folder / "index.sqlite", timeout=120, isolation_level=None)
            self._base.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"the image cache cannot be written: {error}",
                where=str(folder),
                cure="set WILDREID_CACHE to a folder that can be written",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        """Where the images of these keys are; those that are not in the cache are left out."""
        with self._writing():
            return self._find(keys)

    def add(self, images: Mapping[bytes, NDArray[np.uint8]]) -> dict[bytes, Place]:
        """Keep images; what another process kept meanwhile is found, what has no room is left out."""
        with self._writing():
            found = self._find(images)
            new = [key for key in images if key not in found]
            new = new[: self._room(len(new))]
            while new:
                name, count = self._slab()
                batch, new = new[: self._capacity - count], new[self._capacity - count :]
                self._write(name, count, [images[key] for key in batch])
                places = {key: Place(name, count + n) for n, key in enumerate(batch)}
                self._base.executemany(
                    "insert into images values (?, ?, ?)", [(key, *place) for key, place in places.items()]
                )
                self._base.execute(
                    "update slabs set count = ?, used = ? where name = ?",
                    (count + len(batch), time.time(), name),
                )
                self._mine.add(name)
                found.update(places)
        return found

    def places(self, places: Iterable[Place]) -> tuple[list[str], NDArray[np.int64]]:
        """The names of the slabs, and (images, 2) number of the slab and slot; -1 where there is none."""
        names: dict[str, int] = {}
        pairs = [(names.setdefault(slab, len(names)) if slot >= 0 else -1, slot) for slab, slot in places]
        return list(names), np.array(pairs, np.int64).reshape(-1, 2)

    def _find(self, keys: Iterable[bytes]) -> dict[bytes, Place]:
        self._base.execute("delete from wanted")
        self._base.executemany("insert or ignore into wanted values (?)", ((key,) for key in keys))
        rows = self._base.execute(
            "select i.key, i.slab, i.slot from wanted w join images i on i.key = w.key"
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
        row = self._base.execute("select size, count from slabs where name = ?", (name,)).fetchone()
        try:
            return row is not None and (self.folder / name).stat().st_size >= 3 * row[0] ** 2 * row[1]
        except OSError:
            return False

    def _slab(self) -> tuple[str, int]:
        """A slab with room, and how many images it has."""
        row = self._base.execute(
            "select name, count from slabs where size = ? and count < ? order by used desc limit 1",
            (self.size, self._capacity),
        ).fetchone()
        if row is not None and (row[0] in self._mine or self._whole(row[0])):
            return str(row[0]), int(row[1])
        name = f"{self.size}-{uuid.uuid4().hex}.rgb"
        self._base.execute("insert into slabs values (?, ?, 0, ?)", (name, self.size, time.time()))
        return name, 0

    def _write(self, name: str, slot: int, images: Sequence[NDArray[np.uint8]]) -> None:
        with open(self.folder / name, "r+b" if slot else "wb") as file:
            file.seek(slot * self._bytes)
            for image in images:
                file.write(image.data)
            file.flush()
            os.fsync(file.fileno())

    def _room(self, wanted: int) -> int:
        """For how many images there is room, after deleting what was not used for longest."""
        held = self._base.execute("select name, 3 * size * size * count from slabs order by used").fetchall()
        free = self.limit - sum(size for _, size in held)
        for name, size in held:
            if free >= wanted * self._bytes:
                break
            if name not in self._mine and self._forget(name):
                free += size
        return int(max(0, min(wanted, free // self._bytes)))

    def _forget(self, name: str) -> bool:
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError:  # a system that keeps files in use
            return False
        self._base.execute("delete from images where slab = ?", (name,))
        self._base.execute("delete from slabs where name = ?", (name,))
        return True

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        self._base.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")
