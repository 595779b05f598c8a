"""The data layer: splits and audits at full size, and images from the cache beside Pillow in a DataLoader.

Pictures are read in interleaved pairs in one process, on one thread for Pillow; a ratio is the median of the
pairs. Run with: pytest benchmarks/test_data.py --benchmark-enable; on a machine that others use too, the
processor time of splits and audits is steadier: --benchmark-timer=time.process_time
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from wildreid.data.audit import audit
from wildreid.data.groups import annotate
from wildreid.data.splits import split
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.recipe.model import Encounters, Images
from wildreid_plugins.splitters.disjoint_set import DisjointSet
from wildreid_plugins.splitters.open_set import OpenSet

SIZE, BATCH, PAIRS = 224, 32, 5
MEAN, STD = (255 * torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def bears() -> Table:
    folder = Path(os.environ.get("WILDREID_DATA", "")) / "bearid/images_info_dates.csv"
    if not folder.is_file():
        pytest.skip("WILDREID_DATA names no folder of real data")
    raw = pd.read_csv(folder, dtype=str)
    date = raw["DATE"].where(raw["DATE"] != "0")
    time_ = pd.to_datetime(date + " " + raw["TIME"].str.zfill(6), format="%Y%m%d %H%M%S")
    source = raw["IMAGE"].str.split("/").str[1]
    rows = pd.DataFrame(
        {"image": raw["IMAGE"], "identity": raw["LABEL"], "timestamp": time_, "source": source}
    )
    return Table.of(rows, Path("/bears"))


def synthetic(count: int = 200_000) -> Table:
    """Bursts of four, 200 cameras, four years, about 1300 individuals, a few of them very common, with hashes."""
    random = np.random.default_rng(0)
    visits = count // 4
    visit = np.repeat(np.arange(visits), 4)
    who = np.minimum((random.pareto(1.1, visits) * 20).astype(int), 4000)
    begin = pd.Timestamp("2018-01-01") + pd.to_timedelta(random.integers(0, 86400 * 1460, visits), unit="s")
    hashes = random.integers(0, 2**63, count, dtype=np.uint64)
    rows = pd.DataFrame(
        {
            "image": [f"{n % 50}/{n}.jpg" for n in range(count)],
            "identity": pd.Series(who[visit]).map("w{:05d}".format),
            "camera": pd.Series(random.integers(0, 200, visits)[visit]).map("c{}".format),
            "timestamp": begin[visit] + pd.to_timedelta(np.tile([0, 3, 6, 9], visits), unit="s"),
            "content": [f"{n:032x}" for n in range(count)],
            "phash": [f"{value:016x}" for value in hashes],
        }
    )
    return Table.of(rows, Path("/synthetic"))


@pytest.mark.parametrize("splitter", [OpenSet(), DisjointSet()], ids=lambda one: one.name)
def test_splitting_the_real_bear_table(benchmark: Any, splitter: Any) -> None:
    table = bears()
    benchmark(lambda: split(annotate(table, Encounters()), splitter, seed=0))


@pytest.mark.parametrize("splitter", [OpenSet(), DisjointSet()], ids=lambda one: one.name)
def test_splitting_200_000_rows(benchmark: Any, splitter: Any) -> None:
    table = synthetic()
    benchmark.pedantic(lambda: split(annotate(table, Encounters()), splitter, seed=0), rounds=3)


def test_auditing_200_000_rows(benchmark: Any) -> None:
    table = split(annotate(synthetic(), Encounters()), OpenSet(), seed=0)
    benchmark.pedantic(lambda: audit(table), rounds=3)


class Pictures(Dataset[torch.Tensor]):
    """What everybody writes first: Pillow in `__getitem__`."""

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


def photos(folder: Path, count: int, width: int, height: int) -> Table:
    """JPEGs with as much detail as a photo has."""
    random = np.random.default_rng(0)
    for n in range(count):
        coarse = Image.fromarray(random.integers(0, 255, (height // 20, width // 20, 3), dtype=np.uint8))
        fine = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = (fine + random.normal(0, 6, fine.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{n:04d}.jpg", quality=90)
    names = sorted(path.name for path in folder.iterdir())
    return Table.of(pd.DataFrame({"image": names, "identity": "a"}), folder)


def rates(work: Callable[[], int]) -> tuple[float, float]:
    """Images a second of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    images = work()
    return images / (time.perf_counter() - wall), images / (time.process_time() - processor)


def compare(benchmark: Any, ours: Callable[[], int], theirs: Callable[[], int]) -> None:
    pairs = [(rates(ours), rates(theirs)) for _ in range(PAIRS)]
    for n, clock in enumerate(("wall", "processor")):
        ratios = [mine[n] / other[n] for mine, other in pairs]
        benchmark.extra_info[clock] = {
            "images/s": round(statistics.median(mine[n] for mine, _ in pairs)),
            "images/s, Pillow": round(statistics.median(other[n] for _, other in pairs), 1),
            "ratio, median": round(statistics.median(ratios), 1),
            "ratio, spread": [round(min(ratios), 1), round(max(ratios), 1)],
        }
    benchmark.pedantic(ours, rounds=1)


KINDS = pytest.mark.parametrize(
    ("kind", "count", "width", "height"),
    [("chips", 256, 300, 300), ("frames", 24, 2000, 1500)],
    ids=["chips", "frames"],
)


def load(table: Table, form: str) -> int:
    return sum(len(batch) for batch in DataLoader(Pictures(table, form), batch_size=BATCH))


@pytest.mark.parametrize("form", ["uint8", "float"])
@KINDS
def test_reading_from_a_warm_cache(
    benchmark: Any, tmp_path: Path, kind: str, count: int, width: int, height: int, form: str
) -> None:
    (tmp_path / kind).mkdir()
    table = photos(tmp_path / kind, count, width, height)
    images = open_images(table, Images(size=SIZE), cache=tmp_path / "cache")
    drawn = np.random.default_rng(0).integers(0, count, 2048).reshape(-1, BATCH)
    torch.set_num_threads(1)

    def ours() -> int:
        for rows in drawn:
            tensor(images.take(rows), form)
        return drawn.size

    compare(benchmark, ours, lambda: load(table, form))


@KINDS
def test_filling_the_cache(
    benchmark: Any, tmp_path: Path, kind: str, count: int, width: int, height: int
) -> None:
    (tmp_path / kind).mkdir()
    table = photos(tmp_path / kind, count, width, height)
    turn = iter(range(1000))
    torch.set_num_threads(1)

    def ours() -> int:
        return len(open_images(table, Images(size=SIZE), cache=tmp_path / f"cache{next(turn)}", threads=2))

    compare(benchmark, ours, lambda: load(table, "uint8"))
