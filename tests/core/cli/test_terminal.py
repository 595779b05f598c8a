"""What a shell sees of the program: completion, colour, version."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid import commit
from wildreid.cli import COMMANDS, app

PROGRAM = "import sys; sys.argv[0] = 'reid'; from wildreid.cli import main; main()"


def reid(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "COLUMNS": "100", **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_shell_is_told_which_commands_begin_so() -> None:
    asked = {"_REID_COMPLETE": "complete_bash", "COMP_WORDS": "reid do", "COMP_CWORD": "1"}
    assert reid(**asked).stdout.split() == ["doctor"]
    asked = {"_REID_COMPLETE": "complete_bash", "COMP_WORDS": "reid doctor --js", "COMP_CWORD": "2"}
    assert reid(**asked).stdout.split() == ["--json"]


def test_completion_can_be_installed_and_shown() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    assert "--install-completion" in shown
    assert "--show-completion" in shown


def test_no_color_is_heeded_where_colour_is_forced() -> None:
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured = reid("run", "nowhere.yaml", **forced)
    plain = reid("run", "nowhere.yaml", NO_COLOR="1", **forced)
    assert coloured.returncode == plain.returncode == 2
    assert "\x1b[1;31m" in coloured.stderr
    assert "\x1b[1;31m" not in plain.stderr
    assert "\x1b[3" not in plain.stderr


def test_the_version_has_the_commit_of_the_checkout(checkout: Path) -> None:
    told = CliRunner().invoke(app, ["--version"]).output.strip()
    assert told.startswith(f"wildreid {importlib.metadata.version('wildreid')}")
    if (checkout / ".git").exists():
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
        )
        assert f"(commit {done.stdout[:12]}" in told


def test_the_commit_of_a_wheel_is_what_was_written_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "commit.txt"
    written.write_text("0123456789ab\n")
    monkeypatch.setattr(commit, "WRITTEN", written)
    assert commit.commit() == "0123456789ab"


def test_in_a_repository_of_somebody_else_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    here = tmp_path / "site-packages" / "wildreid"
    here.mkdir(parents=True)
    monkeypatch.setattr(commit, "HERE", here)
    monkeypatch.setattr(commit, "WRITTEN", here / "commit.txt")
    assert commit.commit() is None
    assert commit.version_and_commit() == importlib.metadata.version("wildreid")


def test_every_exit_code_has_its_line_on_the_page(checkout: Path) -> None:
    page = (checkout / "docs" / "guides" / "terminal.md").read_text(encoding="utf-8")
    codes = [
        line.split("|")[1].strip()
        for line in page.splitlines()
        if line.startswith("| ") and line[2].isdigit()
    ]
    assert codes == ["0", "1", "2", "130"]
    assert "doctor" in COMMANDS
