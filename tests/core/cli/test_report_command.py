"""`reid report` writes a run's page again, and measures nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError


@pytest.fixture
def run(smoke_run: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, without its report."""
    copy = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    shutil.rmtree(copy / "report")
    return copy


def test_the_report_is_written_again_and_nothing_else_is_touched(run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    said = CliRunner().invoke(app, ["report", str(run), "--set", "reporters=[{name: html, umap: false}]"])
    assert said.exit_code == 0, said.output
    page = run / "report/index.html"
    assert str(page) in said.stderr.replace("\n", "")
    assert "who is this?" in page.read_text()
    kept = [path for path in run.rglob("*") if path.is_file() and path.parent.name != "index-photos"]
    assert {path: path.read_bytes() for path in kept if path != page} == before


def test_private_is_shown_when_asked_for(run: Path) -> None:
    arguments = [
        "report",
        str(run),
        "--set",
        "reporters=[{name: html, umap: false}]",
        "--set",
        "private=true",
    ]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert "private: camera names and paths are shown" in (run / "report/index.html").read_text()


def test_what_would_need_measuring_is_refused(run: Path) -> None:
    said = CliRunner().invoke(app, ["report", str(run), "--set", "evaluation.bootstrap=7"])
    assert isinstance(said.exception, UserError)
    assert "reid evaluate" in str(said.exception)


def test_no_reporter_is_a_mistake(run: Path) -> None:
    said = CliRunner().invoke(app, ["report", str(run), "--set", "reporters=[]"])
    assert isinstance(said.exception, UserError)
    assert "names no reporter" in str(said.exception)
