"""Somebody's data are taken for what they are, by the data sets themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.peek import Guess, Peek
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset
from wildreid.option import Location
from wildreid.pipeline.recognise import recognise
from wildreid.registry import Registry, Source


class Log(Dataset):
    """A ranger's log."""

    name = "log"
    root: Location
    file: str = "log.json"

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        content = peek.content
        if not isinstance(content, dict) or "log" not in content:
            return None
        root = peek.root_of(content["log"])
        return Guess({"root": str(root), "file": str(peek.path)}, "a ranger's log")

    def table(self) -> Table:
        images = json.loads((self.root / self.file).read_text())["log"]
        return Table.of(pd.DataFrame({"image": images, "identity": "a"}), self.root)


class Copy(Log):
    """Another that reads the same."""

    name = "copy"


def registry(*options: type[Dataset]) -> Registry:
    class Plugin:
        @hookimpl
        def wildreid_datasets(self) -> list[type[Dataset]]:
            return list(options)

    made = Registry(installed=False)
    made.add(Plugin(), Source("test", __file__))
    return made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").touch()
    (tmp_path / "log.json").write_text('{"log": ["1.jpg"]}')
    return tmp_path / "log.json"


def test_a_file_is_taken_for_what_it_is_and_said(log: Path) -> None:
    found = recognise(log, registry=registry(Log))
    assert found is not None
    assert (found.name, found.what) == ("log", "a ranger's log")
    table = found.table()
    assert table.root == log.parent / "photos"
    assert table.notes == ("taken for a ranger's log: dataset log",)
    assert found.table(log.parent).root == log.parent


def test_a_folder_is_looked_into_only_where_it_is_asked_for(log: Path) -> None:
    (log.parent / "other.json").write_text("{}")
    (log.parent / "broken.json").write_text("{")
    assert recognise(log.parent, registry=registry(Log)) is None
    found = recognise(log.parent, registry=registry(Log), inside=True)
    assert found is not None
    assert found.name == "log"


def test_what_two_data_sets_claim_is_asked_about(log: Path) -> None:
    with pytest.raises(UserError, match=r"could be a ranger's log or a ranger's log"):
        recognise(log, registry=registry(Log, Copy))


def test_what_nobody_claims_is_nothing(log: Path) -> None:
    (log.parent / "x.json").write_text("[]")
    assert recognise(log.parent / "x.json", registry=registry(Log)) is None
    (log.parent / "x.json").write_text("[")
    with pytest.raises(UserError, match="not JSON"):
        recognise(log.parent / "x.json", registry=registry(Log))


def test_a_peek_reads_a_head_and_lists_a_folder(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1;2\n")
    assert Peek(tmp_path / "t.csv").columns == ("a", "b")
    assert Peek(tmp_path).names == ("t.csv",)
    assert Peek(tmp_path).columns == Peek(tmp_path / "gone.csv").columns == ()
