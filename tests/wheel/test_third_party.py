"""The example pack as anybody's: built as a wheel, installed beside ours, run from an empty folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.wheel.test_wheel import call, environment  # noqa: F401

STRIPES, BEARS = "docs/examples/stripes", "species/bears"


def copy(checkout: Path, folder: Path, pack: str = STRIPES) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info", "runs")
    return Path(shutil.copytree(checkout / pack, folder / Path(pack).name, ignore=ignored))


@pytest.fixture(scope="module")
def installed(environment: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The environment with the wheels of the example pack and of our bears in it, too."""
    folder = tmp_path_factory.mktemp("pack")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    sources = [str(copy(checkout, folder, pack)) for pack in (STRIPES, BEARS)]
    build = [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, *sources], check=True)
    wheels = [str(wheel) for wheel in folder.glob("*.whl")]
    assert len(wheels) == 2
    python = str(environment / "python")
    subprocess.run([*pip, "--python", python, "install", "-q", "--no-deps", *wheels], check=True)
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
    (used,) = [plugin for plugin in run_of(tmp_path)["plugins"] if plugin["plugin"] == "stripes"]  # type: ignore[attr-defined]
    assert used["version"] == "0.1.0"


def test_the_bears_are_installed_by_name_too(installed: Path, tmp_path: Path) -> None:
    listed = call(installed, tmp_path, "reid", "recipes")
    assert {"bears", "bears/baseline"} <= set(listed.stdout.split())
    done = call(installed, tmp_path, "reid", "check", "bears", "--profile", "smoke", "--build")
    assert done.returncode == 0, done.stderr
    assert "not from the installed copy" not in done.stdout


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
