from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from wildreid.cli import search as command
from wildreid.errors import RecipeError, UserError


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    command.register(app)
    return app


def test_the_command_searches_and_shows(
    app: typer.Typer, micro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (micro / "space.yaml").write_text("space: {head: {width: {choice: [4, 8, 16]}}}")
    monkeypatch.chdir(micro)
    done = CliRunner().invoke(app, ["space.yaml", "-n", "1", "--profile", "longer", "--name", "mine"])
    assert done.exit_code == 0, done.output
    assert "1 trial: 1 done" in done.output
    assert (micro / "runs/mine/study.db").is_file()
    assert (micro / "runs/mine/index.html").is_file()
    # no further trial is begun, and what there is is shown
    for more in (["-n", "0"], ["-n", "3", "--timeout", "0"]):
        done = CliRunner().invoke(app, ["space.yaml", *more, "--profile", "longer", "--name", "mine"])
        assert "1 trial: 1 done" in done.output
    done = CliRunner().invoke(app, ["space.yaml", "--name", "mine"])
    assert isinstance(done.exception, UserError)
    assert "recipe.training.epochs is 3 there and 2 here" in str(done.exception)


def test_the_message_for_a_missing_file(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [str(tmp_path / "nothing.yaml")])
    assert isinstance(done.exception, UserError)
    assert "nothing.yaml" in str(done.exception)


def test_a_mistake_is_told_before_anything_heavy_is_imported(micro: Path) -> None:
    (micro / "space.yaml").write_text("space: {loss: {choice: [arcfcae]}}")
    code = """\
import sys
from wildreid.cli.search import search
try:
    search(sys.argv[1])
except Exception as error:
    print(type(error).__name__, "did you mean" in str(error))
print(sorted({"torch", "optuna", "pandas", "sqlalchemy"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(micro / "space.yaml")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{RecipeError.__name__} True", "[]"]
