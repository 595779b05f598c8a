"""The file of scores of pairs: what was matched once is found again, and the file stays under its limit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from wildreid.places import caching, database

_SCHEMA = "create table if not exists pairs (pair blob primary key, score real, day integer) without rowid;"
ASKED = 20_000
"""Keys that the base is asked for at once."""
ROW = 40
"""Bytes that a pair takes on the disk, at most."""


class KeptScores:
    """Scores by the key of their pair, in one file.

    To stay under the limit, scores that nobody asked for since the longest time go; those of today stay, and what
    has no room beside them is not kept.

    Args:
        path: the file; it is made if it is not there.
        limit: bytes that it may take.

    Raises:
        UserError: it cannot be read or written.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._folder, self._limit = path.parent, limit
        self._today = int(time.time() // 86_400)
        self._old: list[bytes] = []  # found, and not asked for before today
        self._holes = 0  # that deleted pairs have left in the file
        with caching(self._folder):
            self._base = database(path, _SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.add({})
        finally:
            self._base.close()

    def find(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        """The scores of those keys that are kept."""
        found: dict[bytes, float] = {}
        with caching(self._folder):
            for start in range(0, len(keys), ASKED):
                some = keys[start : start + ASKED]
                marks = ",".join("?" * len(some))
                question = f"select pair, score, day from pairs where pair in ({marks})"
                for key, score, day in self._base.execute(question, some):
                    found[key] = score
                    if day < self._today:
                        self._old.append(key)
        return found

    def add(self, scores: Mapping[bytes, float]) -> None:
        """Keep these scores, and that what was found was asked for today."""
        if not scores and not self._old:
            return
        with caching(self._folder), self._base:
            self._base.execute("begin immediate")
            today: Iterable[tuple[int, bytes]] = ((self._today, key) for key in self._old)
            self._base.executemany("update pairs set day = ? where pair = ?", today)
            kept = list(scores.items())[: self._room(len(scores))]
            rows = ((key, score, self._today) for key, score in kept)
            self._base.executemany("insert or ignore into pairs values (?, ?, ?)", rows)
        self._old = []

    def _room(self, wanted: int) -> int:
        """For how many pairs there is room, after deleting what was not asked for since the longest time."""
        used, empty, size = (
            self._base.execute(f"pragma {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        room = max(0, self._limit - (used - empty) * size) // ROW + self._holes
        if room < wanted:
            gone = self._base.execute(
                "delete from pairs where pair in (select pair from pairs where day < ? order by day limit ?)",
                (self._today, max(wanted, self._limit // ROW // 8)),  # not a few each time
            ).rowcount
            self._holes += gone
            room += gone
        kept = min(wanted, room)
        self._holes = max(0, self._holes - kept)
        return int(kept)
