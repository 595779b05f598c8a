"""The files of changelog.d are named and written so that towncrier makes a section of them that reads well."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "changelog.d"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
SORTS = list(SETTINGS["fragment"])


def wrong(name: str, text: str) -> list[str]:
    """What is wrong with one file of changelog.d."""
    lines = text.splitlines()
    rules = {
        f"its name is not like doctor.added.md, of {', '.join(SORTS)}": not re.fullmatch(
            rf"[a-z0-9][a-z0-9-]*\.({'|'.join(SORTS)})\.md", name
        ),
        "it does not begin with a capital letter or code": not re.match(r"[A-Z`]", text),
        "its last sentence has no full stop": not text.rstrip().endswith("."),
        "a line is longer than 120 characters": any(len(line) > 120 for line in lines),
        "it has more than 8 lines: write for users": len(lines) > 8,
        "it holds a blank line, a heading or a list: write plain sentences": any(
            not line.strip() or re.match(r"\s*(#|[-*] )", line) for line in lines
        ),
    }
    return [what for what, broken in rules.items() if broken]


def files() -> list[Path]:
    return [path for path in sorted(FOLDER.iterdir()) if path.name != Path(SETTINGS["template"]).name]


def test_each_file_has_a_right_name_and_form() -> None:
    assert {
        path.name: found for path in files() if (found := wrong(path.name, path.read_text("utf-8")))
    } == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("doctor.new.md", "It is good."),
        ("Doctor.added.md", "It is good."),
        ("doctor.md", "It is good."),
        ("doctor.added.md", "- It is good."),
        ("doctor.added.md", "it is good."),
        ("doctor.added.md", "It is good"),
        ("doctor.added.md", "It is good.\n\nAnd more."),
        ("doctor.added.md", "It is good.\n# And more."),
        ("doctor.added.md", f"It is {'very ' * 30}good."),
        ("doctor.added.md", ""),
    ],
)
def test_a_wrong_file_is_found(name: str, text: str) -> None:
    assert wrong(name, text)
    assert wrong("doctor.added.md", "`reid doctor` is\ngood.\n") == []


def test_every_file_comes_out_in_the_section() -> None:
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.8.7"],
        cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8",
    ).stdout  # fmt: skip
    assert draft.splitlines()[0].startswith("## 9.8.7 - ")
    flat = " ".join(draft.split())
    for path in files():
        assert " ".join(path.read_text(encoding="utf-8").split()) in flat


def test_the_changelog_is_whole() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.count(SETTINGS["start_string"]) == 1
    lines = [line for line in text.splitlines() if line.startswith(("- ", "  "))]
    doubled = {line for line in lines if lines.count(line) > 1}
    assert doubled == set()  # what a merge by union makes
