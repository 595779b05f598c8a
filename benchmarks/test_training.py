"""Training and embedding beside the bare loop: the same network on tensors that are in memory already.

Each ratio is the median over interleaved pairs in one process, ours over bare, above 1 is faster; the spread is
the range. Wall and processor time are given, since other work on a machine disturbs the latter less. Both sides
lay images out channels last, and both have the memory setting that the engine makes. ``bare default`` is the loop
in torch's default layout, as the peers' figures are measured (wildlife-tools 1.0.3, OML 4.0.0 and
pytorch-metric-learning 2.9.0 embed chips at 0.93 to 0.95 of it with ResNet18 and 0.65 to 0.71 with a very small
network, frames at 0.59 to 0.67 and 0.20 to 0.24; they train at 0.91 to 0.96 from files).
"""

from __future__ import annotations

import shutil
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
from pytorch_metric_learning import losses
from tests.core.training import micro

from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.recipe.model import Images
from wildreid.training.device import keep_freed_memory
from wildreid.training.embed import embed
from wildreid.training.embedder import Embedder, build_embedder
from wildreid.training.loop import train

PAIRS = 5
BATCH = 32


def photos(folder: Path, count: int, size: tuple[int, int]) -> Table:
    """JPEG files of smooth shapes under film grain, eight to an animal."""
    draw = np.random.default_rng(0)
    for n in range(count):
        coarse = Image.fromarray(draw.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize(size)
        grain = draw.integers(-12, 12, (size[1], size[0], 1))
        pixels = np.clip(np.asarray(coarse, np.int16) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.jpg", quality=90)
    rows = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(count)],
            "identity": [f"animal {n // 8}" for n in range(count)],
            "encounter": [str(n) for n in range(count)],
            "part": "train",
        }
    )
    return Table.of(rows, folder)


class Clock:
    """Seconds of wall and of processor time since it was made or set; other work disturbs the latter less."""

    def __init__(self) -> None:
        self.set()

    def set(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self.wall, time.process_time() - self.processor


Timed = Callable[[], tuple[float, float]]


def bare_training(
    embedder: Embedder, pixels: torch.Tensor, labels: torch.Tensor, batches: list[list[int]]
) -> tuple[float, float]:
    """The loop that anybody would write."""
    network = embedder.to(memory_format=torch.channels_last).train()
    loss = losses.ArcFaceLoss(num_classes=int(labels.max()) + 1, embedding_size=embedder.width)
    optimizer = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=1e-4)
    clock = Clock()
    for batch in batches:
        optimizer.zero_grad()
        loss(network(network.prepare(pixels[batch])), labels[batch]).backward()
        optimizer.step()
    return clock.read()


def bare_embedding(embedder: Embedder, pixels: torch.Tensor, *, channels_last: bool) -> tuple[float, float]:
    """The network alone over all images."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = embedder.to(memory_format=layout).eval()
    clock = Clock()
    with torch.inference_mode():
        for first in range(0, len(pixels), BATCH):
            network(network.prepare(pixels[first : first + BATCH]).contiguous(memory_format=layout))
    return clock.read()


def ratios(images: int, ours: Timed, others: dict[str, Timed]) -> dict[str, Any]:
    """Images a second of ours, and how much faster it is than each of the others, in turns."""
    measured: dict[str, list[tuple[float, float]]] = {"ours": [], **{name: [] for name in others}}
    for work in (ours, *others.values()):
        work()
    for _ in range(PAIRS):
        measured["ours"].append(ours())
        for name, work in others.items():
            measured[name].append(work())
    speed = images / statistics.median(wall for wall, _ in measured["ours"])
    found: dict[str, Any] = {"images/s": round(speed, 1)}
    for name in others:
        for index, kind in enumerate(("wall", "cpu")):
            pairs = [
                theirs[index] / mine[index]
                for mine, theirs in zip(measured["ours"], measured[name], strict=True)
            ]
            found[f"ours / {name}, {kind}"] = (
                f"{statistics.median(pairs):.3f} ({min(pairs):.2f} to {max(pairs):.2f})"
            )
    return found


@pytest.mark.parametrize(("model", "size", "steps"), [("resnet18", 128, 3), ("test_convnext", 96, 12)])
def test_training(model: str, size: int, steps: int, tmp_path: Path, benchmark: Any) -> None:
    keep_freed_memory(torch.device("cpu"))
    table = photos(tmp_path, steps * BATCH, (300, 300))
    images = open_images(table, Images(size=size), cache=tmp_path / "cache")
    pixels = torch.from_numpy(images.take(range(len(table))))
    recipe = micro.recipe(
        images={"size": size}, backbone={"name": "timm", "model": model}, head={"name": "linear", "width": 512},
        loss="arcface", miner="none", sampler="uniform", scheduler="constant", transforms=[],
        training={"epochs": 1, "batch": BATCH, "workers": 2},
    )  # fmt: skip
    labels = torch.from_numpy(pd.factorize(table["identity"])[0])
    batches = list(recipe.sampler.build(table=table, batch=BATCH, seed=0))
    bare = build_embedder(recipe)
    clock, take = Clock(), images.take
    begun: list[bool] = []
    ends: list[tuple[float, float]] = []

    def begin_and_take(rows: Any) -> Any:
        if not begun:
            begun.append(True)
            clock.set()
        return take(rows)

    images.take = begin_and_take  # type: ignore[method-assign]

    class End:
        def log(self, step: int, values: Any, pictures: Any = None) -> None:
            ends.append(clock.read())

    def ours() -> tuple[float, float]:
        """From the first image asked for to the end of the epoch; what is saved after it does not count."""
        begun.clear()
        train(recipe, table, images, tmp_path / "run", validate=None, device="cpu", logs=[End()])
        return ends[-1]

    others = {"bare": lambda: bare_training(bare, pixels, labels, batches)}
    found = benchmark.pedantic(lambda: ratios(len(table), ours, others), rounds=1)
    benchmark.extra_info.update(found)


@pytest.mark.parametrize(
    ("kind", "count", "frame"), [("chips", 256, (300, 300)), ("frames", 64, (2000, 1500))]
)
@pytest.mark.parametrize(("model", "size"), [("resnet18", 224), ("test_convnext", 96)])
@pytest.mark.parametrize("state", ["warm", "cold"])
def test_embedding(
    state: str,
    model: str,
    size: int,
    kind: str,
    count: int,
    frame: tuple[int, int],
    tmp_path: Path,
    benchmark: Any,
) -> None:
    keep_freed_memory(torch.device("cpu"))
    table = photos(tmp_path, count, frame)
    recipe = micro.recipe(
        images={"size": size},
        backbone={"name": "timm", "model": model},
        head={"name": "linear", "width": 512},
    )
    embedder, bare = build_embedder(recipe), build_embedder(recipe)
    store: ImageStore = open_images(table, Images(size=size), cache=tmp_path / "cache")
    pixels = torch.from_numpy(store.take(range(count)))

    def ours() -> tuple[float, float]:
        if state == "cold":
            shutil.rmtree(tmp_path / "cache")
        clock = Clock()
        images = store if state == "warm" else open_images(table, Images(size=size), cache=tmp_path / "cache")
        embed(embedder, images, device="cpu", batch=BATCH)
        return clock.read()

    others = {
        "bare": lambda: bare_embedding(bare, pixels, channels_last=True),
        "bare default": lambda: bare_embedding(bare, pixels, channels_last=False),
    }
    found = benchmark.pedantic(lambda: ratios(count, ours, others), rounds=1)
    benchmark.extra_info.update(found)
