"""Fingerprints of images: a hash of the file's bytes and a perceptual hash of what the box shows."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from wildreid import progress
from wildreid.data.images import Box, read
from wildreid.data.table import BOX, Table
from wildreid.errors import UserError

T = TypeVar("T")

_BATCH = 256
_SCHEMA = """
create table if not exists files (path text primary key, bytes integer, changed integer, content text);
create table if not exists looks (content text, box text, phash text, primary key (content, box));
create temp table wanted (item integer primary key, a text, b text);
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
    rows = table.rows.assign(content=contents(table, cache=cache, threads=threads))
    if perceptual:
        rows["phash"] = _looks(rows, table.root, cache, threads)
    return table.with_rows(rows)


def contents(table: Table, *, cache: Path, threads: int = 2) -> pd.Series[str]:
    """The hash of each row's file as it is now, missing where it cannot be read."""
    images = table["image"].drop_duplicates()
    paths = [str(table.root / image) for image in images]
    facts = [_facts(path) for path in paths]
    with closing(_database(cache)) as base:
        known = _known(
            base,
            "select item, bytes, changed, content from wanted join files on path = a",
            ((item, path, "") for item, path in enumerate(paths)),
        )
        found = {item: content for item, size, changed, content in known if facts[item] == (size, changed)}
        todo = [item for item, fact in enumerate(facts) if item not in found and fact is not None]

        def keep(items: Sequence[int], hashes: Sequence[str | None]) -> None:
            done = [(item, text) for item, text in zip(items, hashes, strict=True) if text is not None]
            found.update(done)
            base.executemany(
                "insert or replace into files values (?, ?, ?, ?)",
                [(paths[item], *facts[item], text) for item, text in done],  # type: ignore[misc]
            )
            base.commit()

        _compute(lambda item: _digest(paths[item]), todo, keep, "reading files", threads)
    by_image = pd.Series(
        [found.get(item) for item in range(len(paths))], index=pd.Index(images), dtype="string"
    )
    return by_image.reindex(table["image"]).set_axis(table.rows.index)


def boxes(rows: pd.DataFrame) -> list[Box | None]:
    """The box of each row, None where the whole image is meant."""
    values = rows[list(BOX)].astype("float64").to_numpy()
    whole = np.isnan(values).any(axis=1)
    return [None if no_box else tuple(box) for no_box, box in zip(whole, values.tolist(), strict=True)]


def _looks(rows: pd.DataFrame, root: Path, cache: Path, threads: int) -> pd.Series[str]:
    box = boxes(rows)
    content = rows["content"].to_numpy(object, na_value=None)
    found: dict[int, str] = {}
    with closing(_database(cache)) as base:
        wanted = ((item, content[item], str(box[item])) for item in range(len(rows)) if content[item])
        found.update(
            _known(base, "select item, phash from wanted join looks on content = a and box = b", wanted)
        )
        todo = [item for item in range(len(rows)) if content[item] and item not in found]

        def keep(items: Sequence[int], hashes: Sequence[str | None]) -> None:
            done = [(item, text) for item, text in zip(items, hashes, strict=True) if text is not None]
            found.update(done)
            base.executemany(
                "insert or replace into looks values (?, ?, ?)",
                [(content[item], str(box[item]), text) for item, text in done],
            )
            base.commit()

        def look(item: int) -> str | None:
            return _phash(root / str(rows["image"].iloc[item]), box[item])

        _compute(look, todo, keep, "looking for near duplicates", threads)
    return pd.Series([found.get(item) for item in range(len(rows))], index=rows.index, dtype="string")


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
    except OSError:
        return None
    return fact.st_size, fact.st_mtime_ns


def _compute(
    work: Callable[[int], T],
    items: list[int],
    keep: Callable[[Sequence[int], Sequence[T]], None],
    what: str,
    threads: int,
) -> None:
    """Work through the items in threads and keep the answers batch by batch, so that a stop loses little."""
    with ThreadPoolExecutor(threads) as pool:
        for begin in progress.bar(range(0, len(items), _BATCH), what):
            batch = items[begin : begin + _BATCH]
            keep(batch, list(pool.map(work, batch)))


def _known(base: sqlite3.Connection, query: str, wanted: Iterable[tuple[int, str, str]]) -> list[Any]:
    base.execute("delete from wanted")
    base.executemany("insert into wanted values (?, ?, ?)", wanted)
    return base.execute(query).fetchall()


def _database(cache: Path) -> sqlite3.Connection:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(cache / "fingerprints.sqlite", timeout=60)
        base.executescript(_SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise UserError(
            f"the cache cannot be written: {error}",
            where=str(cache),
            cure="set WILDREID_CACHE to a folder that can be written",
        ) from None
    return base
