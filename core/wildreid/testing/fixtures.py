"""Fixtures for pytest: ``pytest_plugins = ["wildreid.testing.fixtures"]`` in ``conftest.py`` names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wildreid.data.table import Table
from wildreid.registry import Registry
from wildreid.testing import material
from wildreid.testing.material import TINY_RECIPE
from wildreid.testing.photos import draw_photos


@pytest.fixture
def tiny_table() -> Table:
    """A table with bursts: 12 animals, two cameras, several days; its images are not there."""
    return material.tiny_table()


@pytest.fixture
def registry() -> Registry:
    """A registry that sees only what the test adds: ``registry.add(module, Source("mine", "here"))``."""
    return Registry(installed=False)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small photos with ``photos.csv``: image, identity, camera, timestamp."""
    folder = tmp_path_factory.mktemp("photos")
    draw_photos(folder)
    return folder


@pytest.fixture(scope="session")
def run_folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run on the photos, with every artefact; treat it as read-only."""
    import wildreid

    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WILDREID_CACHE", str(folder / "cache"))
        yield wildreid.run(
            TINY_RECIPE, settings={"dataset.root": photos}, out=folder / "runs", device="cpu"
        ).folder
