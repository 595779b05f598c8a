from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from wildreid.errors import UserError
from wildreid.search.load import Search
from wildreid.search.study import open_study, shown

Searching = Callable[..., Search]
SPACE = "space: {loss: {choice: [triplet, circle]}}"


def test_a_study_is_bound_to_its_space(searching: Searching, tmp_path: Path) -> None:
    storage = str(tmp_path / "deep" / "study.db")
    study = open_study(searching(SPACE), storage)
    study.set_user_attr("mark", 1)
    assert open_study(searching(SPACE), storage).user_attrs["mark"] == 1
    assert open_study(searching(f"trials: 7\nsampler: tpe\n{SPACE}"), storage).user_attrs["mark"] == 1
    with pytest.raises(UserError, match=r"another space.*space.loss.choice is \['triplet', 'circle'\] there"):
        open_study(searching("space: {loss: {choice: [triplet]}}"), storage)
    with pytest.raises(UserError, match=r"recipe.training.epochs is 2 there and 3 here"):
        open_study(searching(SPACE, settings=["training.epochs=3"]), storage)
    assert open_study(searching(SPACE), storage).user_attrs["mark"] == 1, "nothing recorded is lost"
    other = open_study(searching("space: {loss: {choice: [triplet]}}", name="other"), storage)
    assert "mark" not in other.user_attrs


def test_join_begins_nothing(searching: Searching, tmp_path: Path) -> None:
    storage = str(tmp_path / "study.db")
    with pytest.raises(UserError, match="no study 'micro-search' to join; there are: none"):
        open_study(searching(SPACE), storage, join=True)
    open_study(searching(SPACE), storage)
    open_study(searching(SPACE), storage, join=True)
    with pytest.raises(UserError, match="no study 'mikro' to join; there are: micro-search"):
        open_study(searching(SPACE, name="mikro"), storage, join=True)


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        ("postgresql+nodriver://me:secret@localhost/x", "cannot be reached|driver"),
        ("nosuchdatabase://me:secret@localhost/x", "cannot be reached|driver"),
        ("sqlite:////proc/no/such/study.db", "cannot be reached|cannot be made"),
        ("mysql+pymysql://me:secret@localhost/x", "driver|cannot be reached"),
        ("http://[not a url", "cannot be reached|no URL"),
    ],
)
def test_a_storage_that_cannot_be_reached(searching: Searching, storage: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        open_study(searching(SPACE), storage)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(searching: Searching, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_text("a shopping list, longer than a header of SQLite would be\n" * 20)
    with pytest.raises(UserError, match=r"cannot be reached: file is not a database"):
        open_study(searching(SPACE), str(path))
    assert path.read_text().startswith("a shopping list")


def test_tables_of_another_version(searching: Searching, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    open_study(searching(SPACE), str(path))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE version_info SET schema_version = 1")
        database.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    database.close()
    with pytest.raises(UserError, match="cannot be used"):
        open_study(searching(SPACE), str(path))


def test_a_password_is_never_shown() -> None:
    assert shown("postgresql://me:secret@host:5432/db") == "postgresql://me:***@host:5432/db"
    assert shown("runs/study.db") == "runs/study.db"
