"""The wheel in an environment of its own, far from the checkout; heavy libraries are borrowed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of commands of a fresh environment with the project's wheel in it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    place = folder / "environment"
    venv.create(place, with_pip=False)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    site = subprocess.run(
        [scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    subprocess.run(
        [*pip, "--python", str(scripts / "python"), "install", "-q", "--no-deps", str(wheel)], check=True
    )
    # a path in a .pth file is searched, but its own .pth files, the editable install's, are not read
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


def call(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "WILDREID"))
    }
    variables |= {"WILDREID_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    return subprocess.run(
        [environment / arguments[0], *arguments[1:]],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
    )


def test_the_program_says_its_version_and_commit(environment: Path, tmp_path: Path, checkout: Path) -> None:
    done = call(environment, tmp_path, "reid", "--version")
    assert done.returncode == 0, done.stderr
    version, _, commit = done.stdout.strip().partition(" (")
    assert version == f"wildreid {metadata.version('wildreid')}"
    if (checkout / ".git").exists():  # far from the checkout, so the wheel itself knows it
        assert re.fullmatch(r"commit [0-9a-f]{12}(-dirty)?\)", commit)


def test_plugins_lists_everything_from_another_folder(
    environment: Path, tmp_path: Path, checkout: Path
) -> None:
    done = call(environment, tmp_path, "reid", "plugins")
    assert done.returncode == 0, done.stderr
    for option in ("arcface", "open-set", "efficientnet-lite", "html", "accuracy-at-k", "camera-trap"):
        assert option in done.stdout
    where = call(environment, tmp_path, "python", "-c", "import wildreid; print(wildreid.__file__)")
    assert str(checkout) not in where.stdout


def test_the_bear_recipe_runs_from_a_copy_of_its_folder_alone(
    environment: Path, tmp_path: Path, checkout: Path
) -> None:
    shutil.copytree(
        checkout / "species/bears", tmp_path / "bears", ignore=shutil.ignore_patterns("__pycache__")
    )
    done = call(environment, tmp_path, "reid", "run", "bears/recipe.yaml", "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/bears-smoke/report/index.html").is_file()


SPAWN = """
import multiprocessing, sys, wildreid
def work(recipe):
    return wildreid.run(recipe, profiles=["smoke"], settings={"training.epochs": 1}).name
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    with multiprocessing.Pool(1) as pool:
        print(pool.apply(work, (sys.argv[1],)))
"""


def test_a_run_in_a_spawned_process_works_with_a_pack_loaded_by_path(
    environment: Path, tmp_path: Path, checkout: Path
) -> None:
    (tmp_path / "spawn.py").write_text(SPAWN)
    done = call(environment, tmp_path, "python", "spawn.py", str(checkout / "species/bears/recipe.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "bears-smoke"
