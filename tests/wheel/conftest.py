"""What a release uploads: the files of WILDREID_DIST, as `nox -s release` sets it, or some built here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """A folder with an sdist, and the wheel that is built of it."""
    given = os.environ.get("WILDREID_DIST")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, checkout]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """The one wheel in it."""
    (file,) = dist.glob("wildreid-*.whl")
    return file
