"""The example pack as anybody's: built as a wheel, installed beside ours, run from an empty folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.wheel.test_wheel import call, environment  # noqa: F401


def copy(checkout: Path, folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info", "runs")
    return Path(shutil.copytree(checkout / "docs/examples/stripes", folder / "stripes", ignore=ignored))


@pytest.fixture(scope="module")
def installed(environment: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The environment with the pack's wheel in it, too."""
    folder = tmp_path_factory.mktemp("pack")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    source = str(copy(checkout, folder))
    subprocess.run(
        [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), source], check=True
    )
    (wheel,) = folder.glob("*.whl")
    python = str(environment / "python")
    subprocess.run([*pip, "--python", python, "install", "-q", "--no-deps", str(wheel)], check=True)
    return environment


def run_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "runs/stripes/run.json").read_text())  # type: ignore[no-any-return]


def test_an_installed_pack_runs_by_name_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    listed = call(installed, tmp_path, "reid", "recipes")
    assert "stripes" in listed.stdout, listed.stderr
    done = call(installed, tmp_path, "reid", "run", "stripes", "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/stripes/report/index.html").is_file()
    scores = json.loads((tmp_path / "runs/stripes/scores.json").read_text())
    assert "side-confusion" in scores["protocols"]["cross-encounter"]["scores"]


def test_the_same_pack_by_path_and_both_at_once(
    installed: Path, tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy(checkout, tmp_path)
    both = call(installed, tmp_path, "reid", "check", "stripes/recipe.yaml")
    assert both.returncode == 0, both.stderr
    assert f"pack 'stripes' is taken from {folder}, not from the installed copy" in both.stdout
    listed = call(installed, tmp_path, "reid", "plugins", "splitters", "--pack", "stripes")
    assert listed.stdout.count("whole-animals") == 1
    done = call(installed, tmp_path, "reid", "run", "stripes/recipe.yaml", "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    (used,) = [plugin for plugin in run_of(tmp_path)["plugins"] if plugin["plugin"] == "stripes"]  # type: ignore[attr-defined]
    assert used["place"] == str(folder)
