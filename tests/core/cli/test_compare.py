"""`reid compare`: a table of two runs, a page of it, and refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError


@pytest.fixture
def twin(smoke_run: Path, tmp_path: Path) -> Path:
    """The same run under another name."""
    return Path(shutil.copytree(smoke_run, tmp_path / "twin"))


def test_a_run_and_its_twin_do_not_differ(smoke_run: Path, twin: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "compare.html"
    done = CliRunner().invoke(
        app, ["compare", str(smoke_run), str(twin), "--html", str(page)], env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert "accuracy@1" in done.output
    assert f"written {page}" in done.output
    assert "accuracy@1" in page.read_text(encoding="utf-8")


def test_one_run_alone_is_refused(smoke_run: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(smoke_run)])
    assert isinstance(done.exception, UserError)
    assert "a comparison needs at least two runs" in str(done.exception)
