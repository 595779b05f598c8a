"""What every test has: a cache folder of its own, the real data where they are, and no stray plugins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made.browser import browser_here, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or fills the user's cache, uses the user's data, or sees plugins installed beside ours."""
    os.environ["WILDREID_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["WILDREID_PLUGINS"] = "builtin"
    for variable in ("WILDREID_BEARID", "WILDREID_COWS", "WILDREID_HEADS"):
        os.environ.pop(variable, None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and tables; tests that need it are skipped where it is not."""
    folder = os.environ.get("WILDREID_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("WILDREID_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the project."""
    return ROOT


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one, or without playwright, these tests are skipped.

    Not for a session: while it is open no other test of the process can have an event loop of its own.
    """
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if browser_here() is None:
        pytest.skip("there is no Chromium on this machine")
    with opened() as started:
        yield started


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The folder of a finished smoke run of the bear recipe; tests must not change it."""
    import wildreid

    out = tmp_path_factory.mktemp("runs")
    results = wildreid.run(checkout / "species/bears/recipe.yaml", profiles=["smoke"], out=out)
    return results.folder


@pytest.fixture(scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """For tests that write much, and ask nothing of a disk without power."""
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda handle: None)
    yield
    patch.undo()
