from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import wildreid
import wildreid_plugins
from wildreid.progress import bar, note, quiet, say, worded


def speak() -> None:
    say("run     runs/bears[1] on cpu")
    note("3 photos were left out")
    assert list(bar([1, 2], "counting")) == [1, 2]


def test_lines_are_said_as_they_are_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    speak()
    out, err = capsys.readouterr()
    assert (out, err) == ("", "run     runs/bears[1] on cpu\n! 3 photos were left out\n")


def test_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with quiet():
        speak()
        with quiet():
            speak()
        speak()
    with pytest.raises(KeyError), quiet():
        raise KeyError
    monkeypatch.setenv("WILDREID_QUIET", "1")
    speak()
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("WILDREID_QUIET", "0")
    say("again")
    assert capsys.readouterr().err == "again\n"


def test_who_is_quiet_hides_no_bar_where_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any output for a terminal then
    drawn = []
    monkeypatch.setattr("wildreid.progress.Progress.start", lambda self: drawn.append(self.disable))
    list(bar([1], "seen"))
    with quiet():
        list(bar([1], "not seen"))
    assert drawn == [False]


def test_lines_go_through_the_words_of_whoever_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    with worded(str.upper):
        note("give `name=…`")
    note("give `name=…`")
    assert capsys.readouterr().err == "! GIVE `NAME=…`\n! give `name=…`\n"


CORE = Path(wildreid.__file__).parent
ENGINE = sorted(path for path in CORE.rglob("*.py") if "cli" not in path.relative_to(CORE).parts)
OPTIONS = sorted(
    path
    for folder in (Path(wildreid_plugins.__path__[0]), Path(__file__).parents[2] / "species")
    for path in folder.rglob("*.py")
)


def texts(tree: ast.Module) -> Iterator[str]:
    """The string constants of a module that are no docstrings."""
    spoken = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in spoken:
            yield node.value


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(CORE)))
def test_the_engine_names_no_flag_and_prints_in_one_place(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    flags = [text for text in texts(tree) if text.startswith("--") or " --" in text]
    if path.name == "commit.py":
        assert all(text in GIT for text in flags)  # what git is asked
    elif path.parent.name != "templates":
        assert flags in ([], CARD) if path.name == "card.py" else flags == []
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if path != CORE / "progress.py":
        assert not {"console", "console().print", "Console"} & calls


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: "/".join(path.parts[-2:]))
def test_options_name_no_flag(path: Path) -> None:
    said = texts(ast.parse(path.read_text(encoding="utf-8")))
    assert [text for text in said if " --" in text and "pip install" not in text] == []


GIT = ("--always", "--dirty", "--exclude=*", "--abbrev=12")
CARD = ["reid gallery create my-gallery --model THIS-FOLDER --data PHOTOS-BY-INDIVIDUAL"]
"""What a model's README says to whoever has the program."""
