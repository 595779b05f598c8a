from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from wildreid.places import database

FIRST = "create table if not exists one (a integer primary key);"
BOTH = FIRST + " create table if not exists two (b text); create index if not exists by_b on two (b);"


def made(base: sqlite3.Connection) -> set[str]:
    return {name for (name,) in base.execute("select name from sqlite_master")}


def test_what_is_missing_of_a_schema_is_made_and_what_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "base.sqlite"
    with closing(database(path, FIRST)) as base:
        base.execute("insert into one values (7)")
    with closing(database(path, BOTH)) as base:
        assert made(base) == {"one", "two", "by_b"}
        assert base.execute("select a from one").fetchall() == [(7,)]


def test_a_whole_schema_needs_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "base.sqlite"
    database(path, BOTH).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin immediate")  # another process writes
        with closing(database(path, BOTH)) as base:
            assert made(base) == {"one", "two", "by_b"}
        writer.execute("rollback")
