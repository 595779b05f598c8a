"""The packs of the repository, loaded by path as a recipe does."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from wildreid.kinds import Dataset
from wildreid.registry import Registry


class Pack:
    """A pack loaded by path: its options by name, its modules by theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(packs=[folder])

    def dataset(self, name: str, **fields: object) -> Dataset:
        chosen = self.registry.choose("dataset", name)
        return chosen.model_validate(fields)  # type: ignore[return-value]

    def module(self, name: str) -> ModuleType:
        pack = self.registry.choose("dataset", "drawn-bears").__module__.rpartition(".")[0]
        return importlib.import_module(f"{pack}.{name}")


@pytest.fixture(scope="session")
def bears(checkout: Path) -> Pack:
    """The bear pack."""
    return Pack(checkout / "species/bears")


@pytest.fixture
def picture(tmp_path: Path):
    """Writes small photos into the test's folder."""
    from PIL import Image

    def write(
        name: str, *, colour: tuple[int, int, int] = (120, 90, 60), size: tuple[int, int] = (60, 40), **more
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path, **more)
        return path

    return write
