"""Where files that can be made again are kept."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from wildreid.errors import UserError

ELSEWHERE = "set WILDREID_CACHE to a folder that can be written and has space"


def cache_folder() -> Path:
    """The folder of caches: ``$WILDREID_CACHE``, else the user's own cache folder; it may not exist yet.

    Raises:
        UserError: there is neither, as in a container without users.
    """
    chosen = os.environ.get("WILDREID_CACHE")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        return Path(platformdirs.user_cache_dir("wildreid"))
    except RuntimeError as error:
        raise UserError(f"there is no place for the cache: {error}", cure=ELSEWHERE) from None


@contextmanager
def caching(folder: Path) -> Iterator[None]:
    """Within it, a cache in this folder that cannot be used is said as such.

    Raises:
        UserError: it cannot be written, is full or damaged.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        what, cure = ("read", f"remove the folder, or {ELSEWHERE}") if damaged else ("written", ELSEWHERE)
        raise UserError(f"the cache cannot be {what}: {error}", where=str(folder), cure=cure) from None


def database(path: Path, schema: str) -> sqlite3.Connection:
    """Open a cache's own database; what is missing of the schema is made in one step, one wait for the disk.

    Any thread may use it, one at a time; nothing is a transaction unless it says so.

    Args:
        path: of the file; its folder is made.
        schema: ``create table if not exists …;`` and ``create index if not exists …;``, each with its semicolon.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path, timeout=120, isolation_level=None, check_same_thread=False)
    try:
        base.execute("pragma temp_store = memory")
        there = {name for (name,) in base.execute("select name from sqlite_master")}
        if not there.issuperset(re.findall(r"if not exists (\w+)", schema)):
            base.executescript(f"begin immediate; {schema} commit;")
    except BaseException:
        base.close()
        raise
    return base
