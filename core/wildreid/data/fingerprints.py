"""Fingerprints of images: a hash of the file's bytes and a perceptual hash of what the box shows."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from wildreid import progress
from wildreid.data.frames import file_of
from wildreid.data.images import Box, header_of, read
from wildreid.data.table import Table, boxes
from wildreid.data.threads import Threads
from wildreid.errors import UserError
from wildreid.places import caching, database

_BATCH = 256
_SCHEMA = """
create table if not exists files (path text primary key, bytes integer, changed integer, content text);
create table if not exists headers (path text primary key, bytes integer, changed integer, header text);
create table if not exists looks (content text, box text, phash text, primary key (content, box));
"""


def fingerprint(table: Table, *, cache: Path, perceptual: bool = True, threads: int = 2) -> Table:
    """Add ``content`` and ``phash``; both are missing where a file cannot be read.

    - ``content``: the 128-bit BLAKE2b hash of the file's bytes, in hexadecimal.
    - ``phash``: the 64-bit perceptual hash (ImageHash's `phash`) of the image inside its box, in
      hexadecimal; images that look the same differ in few bits.

    They are computed once: a file of the same path, size and time of change is not read again, and a file
    of the same bytes is not decoded again for the same box.

    Args:
        table: any table.
        cache: the folder of caches.
        perceptual: whether to add ``phash``, which means decoding every image once.
        threads: that read and decode.
    """
    content = contents(table, cache=cache, threads=threads)
    rows = table.rows.assign(content=pd.Series(content, dtype="string"))
    if perceptual:
        rows["phash"] = pd.Series(_looks(table, content, cache, threads), dtype="string")
    return table.with_rows(rows)


def contents(table: Table, *, cache: Path, threads: int = 2) -> list[str | None]:
    """The hash of each row's file as it is now, None where it cannot be read."""
    paths = [str(file_of(table.root, name)) for name in table["image"]]
    return _of_files(paths, _CONTENTS, _digest, cache, "reading files", threads)


def headers(paths: Sequence[str], *, cache: Path, threads: int = 4) -> NDArray[np.float64]:
    """Width and height of upright images, and the EXIF orientation that makes them upright: (files, 3).

    NaN where a header cannot be read. They are remembered as fingerprints are.
    """
    texts = _of_files(paths, _HEADERS, _header, cache, "reading headers", threads)
    unknown = "nan nan nan"
    return np.array([(text or unknown).split() for text in texts], np.float64).reshape(-1, 3)


_CONTENTS = (
    "select item, bytes, changed, content from wanted join files on path = a",
    "insert or replace into files values (?, ?, ?, ?)",
)
_HEADERS = (
    "select item, bytes, changed, header from wanted join headers on path = a",
    "insert or replace into headers values (?, ?, ?, ?)",
)


def _of_files(
    paths: Sequence[str],
    statements: tuple[str, str],
    work: Callable[[str], str | None],
    cache: Path,
    what: str,
    threads: int,
) -> list[str | None]:
    """What `work` says of each file as it is now, remembered until its size or time changes."""
    distinct = list(dict.fromkeys(paths))
    facts = [_facts(path) for path in distinct]
    select, insert = statements
    with caching(cache), closing(_database(cache)) as base:
        known = _known(base, select, ((item, path, "") for item, path in enumerate(distinct)))
        found = {item: text for item, size, changed, text in known if facts[item] == (size, changed)}
        todo = [item for item, fact in enumerate(facts) if item not in found and fact is not None]

        def keep(texts: Mapping[int, str]) -> None:
            found.update(texts)
            _write(
                base,
                insert,
                [(distinct[item], *(facts[item] or ()), text) for item, text in texts.items()],
            )

        _compute(lambda item: work(distinct[item]), todo, keep, what, threads)
    by_path = {path: found.get(item) for item, path in enumerate(distinct)}
    return [by_path[path] for path in paths]


def _header(path: str) -> str | None:
    header = header_of(Path(path))
    return " ".join(map(str, header)) if header else None


def _looks(table: Table, content: list[str | None], cache: Path, threads: int) -> list[str | None]:
    keys = [(text, str(box)) if text else None for text, box in zip(content, boxes(table.rows), strict=True)]
    first = {key: item for item, key in enumerate(keys) if key}
    with caching(cache), closing(_database(cache)) as base:
        found: dict[int, str] = dict(
            _known(
                base,
                "select item, phash from wanted join looks on content = a and box = b",
                ((item, *key) for key, item in first.items()),
            )
        )
        todo = [item for item in first.values() if item not in found]
        images, box = table["image"].tolist(), boxes(table.rows)

        def keep(hashes: Mapping[int, str]) -> None:
            found.update(hashes)
            _write(
                base,
                "insert or replace into looks values (?, ?, ?)",
                [(*(keys[item] or ()), text) for item, text in hashes.items()],
            )

        def look(item: int) -> str | None:
            return _phash(file_of(table.root, images[item]), box[item])

        _compute(look, todo, keep, "looking for near duplicates", threads)
    return [found.get(first[key]) if key else None for key in keys]


def _phash(path: Path, box: Box | None) -> str | None:
    import imagehash

    try:
        pixels = read(path, box=box, longest=128)
    except UserError:
        return None
    return str(imagehash.phash(Image.fromarray(pixels)))


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return None


def _facts(path: str) -> tuple[int, int] | None:
    try:
        fact = Path(path).stat()
    except (OSError, ValueError):
        return None
    return (fact.st_size, fact.st_mtime_ns) if stat.S_ISREG(fact.st_mode) else None


def _compute(
    work: Callable[[int], str | None],
    items: list[int],
    keep: Callable[[Mapping[int, str]], None],
    what: str,
    threads: int,
) -> None:
    """Work through the items in threads and keep the answers batch by batch, so that a stop loses little."""
    with Threads(threads) as pool:

        def answers() -> Iterator[tuple[int, str | None]]:
            for begin in range(0, len(items), _BATCH):
                batch = items[begin : begin + _BATCH]
                yield from zip(batch, pool.map(work, batch), strict=True)

        done: dict[int, str] = {}
        for item, text in progress.bar(answers(), what, total=len(items)):
            if text is not None:
                done[item] = text
            if len(done) == _BATCH:
                keep(done)
                done = {}
        keep(done)


def _known(base: sqlite3.Connection, query: str, wanted: Iterable[tuple[int, str, str]]) -> list[Any]:
    base.execute("begin")
    base.execute("delete from wanted")
    base.executemany("insert into wanted values (?, ?, ?)", wanted)
    base.execute("commit")
    return base.execute(query).fetchall()


def _write(base: sqlite3.Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    # the lock is taken before anything else: a transaction that first reads and then writes may not wait
    base.execute("begin immediate")
    base.executemany(statement, rows)
    base.execute("commit")


def _database(cache: Path) -> sqlite3.Connection:
    base = database(cache / "fingerprints.sqlite", _SCHEMA)
    base.execute("create temp table wanted (item integer primary key, a text, b text)")
    return base
