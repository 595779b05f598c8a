from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wildreid.authoring import new_plugin
from wildreid.authoring.example import example_name, example_of
from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.recipe import load_recipe
from wildreid.recipe.model import key_of
from wildreid.testing import check_plugin


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_is_written_works_before_anything_is_edited(kind: type[Option], tmp_path: Path) -> None:
    name = f"my-{kind.kind}"
    folder = new_plugin(kind.kind, name, tmp_path)
    module = folder / name.replace("-", "_")
    fields = {name: {"root": folder / "photos"}} if kind.kind == "dataset" else None
    (option,) = check_plugin(module, fields=fields)
    assert (option.kind, option.name) == (kind.kind, name)
    if key_of(kind):
        recipe = load_recipe(folder / "recipe.yaml").recipe.model_dump(mode="json")
        held = recipe[key_of(kind)]
        used = held if isinstance(held, list) else [held]
        assert name in [one["name"] for one in used if one]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_code_is_clean(kind: type[Option], tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="the linter is not installed")
    file = tmp_path / "plugin.py"
    file.write_text('"""A plugin."""\n\n' + example_of(kind, name="my-own"))
    rules = "E,F,I,UP,B"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--line-length",
            "110",
            "--select",
            rules,
            file,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "110", "--check", file],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, file.read_text()


def test_an_example_keeps_its_own_name() -> None:
    for kind in KINDS:
        assert f'name = "{example_name(kind)}"' in example_of(kind)


@pytest.mark.stress
def test_its_own_tests_pass(tmp_path: Path) -> None:
    """The clusterer's alone: it takes no run, and the others differ only in the option."""
    folder = new_plugin("clusterer", "my-clusterer", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("los", "my-loss", "there is no kind 'los', did you mean 'loss'?"),
        ("loss", "My Loss", "such as 'my-loss'"),
        ("loss", "triplet", "there is a loss named 'triplet' already"),
        ("loss", "json", "taken by Python"),
        ("loss", "wildreid", "taken by Python or by wildreid"),
    ],
)
def test_mistakes(kind: str, name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        new_plugin(kind, name, tmp_path)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "my-loss").mkdir()
    (tmp_path / "my-loss" / "precious.py").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        new_plugin("loss", "my-loss", tmp_path)
    with pytest.raises(UserError, match="there is no folder"):
        new_plugin("loss", "my-loss", tmp_path / "nowhere")


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["new", "plugin", "metrics", "my-metric", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "reid run" in done.output
    assert (tmp_path / "my-metric" / "tests" / "test_my_metric.py").is_file()
