"""Images from files and from the warm cache, beside Pillow in a DataLoader, which is what everybody writes first.

Images come out 224 pixels a side, 32 in a batch. One thread reads on both sides, but where a row says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.photos import KINDS, photos
from benchmarks.record import Record
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.recipe.settings import Images

SIZE, BATCH = 224, 32
MEAN, STD = (255 * torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
by_kind = pytest.mark.parametrize(("kind", "files"), [("chips", 256), ("frames", 24)])


class Pictures(Dataset[torch.Tensor]):
    """Pillow in ``__getitem__``."""

    def __init__(self, table: Table, form: str) -> None:
        self.paths, self.form = [table.root / name for name in table["image"]], form

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, n: int) -> torch.Tensor:
        with Image.open(self.paths[n]) as picture:
            small = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        return tensor(np.array(small), self.form)


def tensor(pixels: np.ndarray, form: str) -> torch.Tensor:
    """As uint8, which the engine turns into float on the training device, or as normalised float already."""
    plain = torch.from_numpy(pixels)
    return plain if form == "uint8" else plain.movedim(-1, -3).float().sub_(MEAN).div_(STD)


def loader(table: Table, form: str) -> Callable[[], int]:
    """One pass over the table, as a side."""
    return lambda: sum(len(batch) for batch in DataLoader(Pictures(table, form), batch_size=BATCH))


@pytest.fixture(autouse=True)
def one_thread() -> object:
    """For tensors; how many threads decode is the store's own field."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("form", ["uint8", pytest.param("float", marks=pytest.mark.full)])
@by_kind
def test_warm(record: Record, tmp_path: Path, kind: str, files: int, form: str) -> None:
    """Every image once in random order; `form`: uint8, which the engine makes float on the device, or float."""
    table = photos(tmp_path / kind, files, KINDS[kind])
    images = open_images(table, Images(size=SIZE), cache=tmp_path / "cache")
    order = np.random.default_rng(0).permutation(files)
    batches = [order[first : first + BATCH] for first in range(0, files, BATCH)]

    def ours() -> None:
        for rows in batches:
            tensor(images.take(rows), form)

    record.beside(
        "Loading, warm", {"files": kind, "form": form}, {"wildreid": ours, "Pillow": loader(table, form)},
        count=files, unit="images",
    )  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@by_kind
def test_cold(record: Record, tmp_path: Path, kind: str, files: int, threads: int) -> None:
    """Every file hashed, decoded and kept in a new cache; Pillow decodes and keeps nothing."""
    table = photos(tmp_path / kind, files, KINDS[kind])
    turn = count()

    def ours() -> int:
        return len(
            open_images(table, Images(size=SIZE), cache=tmp_path / f"cache{next(turn)}", threads=threads)
        )

    record.beside(
        "Loading, cold", {"files": kind, "threads": threads}, {"wildreid": ours, "Pillow": loader(table, "uint8")},
        count=files, unit="images",
    )  # fmt: skip
