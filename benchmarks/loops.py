"""The engine's training and embedding as sides of a benchmark, and the bare loops beside them.

A bare loop is what anybody would write: the same network and loss, laid out channels last, in the same
precision, on uint8 tensors that are on the device already.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.photos import KINDS, photos
from benchmarks.timing import Clock, Seconds
from made import micro
from pytorch_metric_learning import losses

from wildreid.data.pixels import HeldImages, ImageRows
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.recipe.model import Recipe
from wildreid.training.device import keep_freed_memory, pick_precision
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder
from wildreid.training.loop import train
from wildreid.training.world import ALONE, World

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def recipe_of(model: str, size: int, **training: Any) -> Recipe:
    """One epoch of ArcFace without a miner or augmentation, so that the network is what takes the time."""
    return micro.recipe(
        images={"size": size},
        backbone={"name": "timm", "model": model},
        head={"name": "linear", "width": 512},
        loss="arcface", miner="none", sampler="uniform", scheduler="constant", transforms=[],
        training={"epochs": 1, "batch": 32, "workers": 2, **training},
    )  # fmt: skip


def autocast(precision: str) -> AbstractContextManager[object]:
    """As the engine computes in this precision."""
    half = pick_precision(precision, torch.device(DEVICE))
    return torch.autocast(DEVICE, half) if half is not None else nullcontext()


@dataclass
class Training:
    """An epoch of a recipe through the engine, from a warm cache, and the same steps bare."""

    recipe: Recipe
    table: Table
    images: ImageRows
    folder: Path
    device: str = DEVICE

    @classmethod
    def of(cls, recipe: Recipe, folder: Path, rows: int) -> Training:
        """With `rows` rows of JPEG chips, which are decoded into a cache in `folder` now."""
        keep_freed_memory(torch.device(DEVICE))
        table = photos(folder / "photos", min(rows, 256), KINDS["chips"], rows=rows)
        return cls(recipe, table, open_images(table, recipe.images, cache=folder / "cache"), folder / "run")

    def through_the_engine(self, world: World = ALONE) -> Seconds:
        """The last epoch, from its first image asked for to its end; what is built and saved is apart."""
        clock, take, ends = Clock(), self.images.take, list[Seconds]()
        asked, steps = itertools.count(), len(self.batches())

        def begin_and_take(rows: Any) -> Any:
            if next(asked) % steps == 0:
                clock.set()
            return take(rows)

        class End:
            def log(self, step: int, values: Any, pictures: Any = None) -> None:
                ends.append(clock.read())

        self.images.take = begin_and_take  # type: ignore[method-assign]
        try:
            train(
                self.recipe,
                self.table,
                self.images,
                self.folder,
                validate=None,
                device=self.device,
                logs=[End()],
                world=world,
            )
        finally:
            self.images.take = take  # type: ignore[method-assign]
            shutil.rmtree(self.folder, ignore_errors=True)
        return ends[-1]

    def batches(self) -> list[list[int]]:
        """The rows of each batch of an epoch."""
        settings = self.recipe.training
        return list(self.recipe.sampler.build(table=self.table, batch=settings.batch, seed=self.recipe.seed))

    def bare(self) -> Callable[[], Seconds]:
        """The bare loop over the same batches, as a side."""
        pixels = torch.from_numpy(self.images.take(range(len(self.table)))).to(DEVICE)
        labels = torch.from_numpy(pd.factorize(self.table["identity"])[0]).to(DEVICE)
        settings = self.recipe.training
        batches = self.batches()
        network = build_embedder(self.recipe).train().to(DEVICE)
        network = network.to(memory_format=torch.channels_last)
        loss = losses.ArcFaceLoss(num_classes=int(labels.max()) + 1, embedding_size=network.width).to(DEVICE)
        optimizer = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=1e-4)

        def loop() -> Seconds:
            clock = Clock()
            for batch in batches:
                optimizer.zero_grad()
                inputs = network.prepare(pixels[batch])
                with autocast(settings.precision):
                    embeddings = network(inputs)
                loss(embeddings, labels[batch]).backward()
                optimizer.step()
            return clock.read()

        return loop


@dataclass
class Embedding:
    """Embedding through the engine, from a warm cache or from files, and the network alone."""

    recipe: Recipe
    table: Table
    cache: Path

    @classmethod
    def of(cls, recipe: Recipe, folder: Path, rows: int, kind: str = "chips") -> Embedding:
        """With `rows` rows of JPEGs, the cache not yet filled."""
        keep_freed_memory(torch.device(DEVICE))
        table = photos(folder / "photos", min(rows, 256), KINDS[kind], rows=rows)
        return cls(recipe, table, folder / "cache")

    def open(self) -> ImageRows:
        return open_images(self.table, self.recipe.images, cache=self.cache)

    def through_the_engine(self, *, cold: bool = False) -> Callable[[], Seconds]:
        """As a side: from a store that is open, or, ``cold``, from files that were never decoded."""
        store, network = self.open(), build_embedder(self.recipe)
        settings = self.recipe.training

        def work() -> Seconds:
            if cold:
                shutil.rmtree(self.cache)
            clock = Clock()
            images = self.open() if cold else store
            embed(network, images, device=DEVICE, precision=settings.precision, batch=settings.batch)
            return clock.read()

        return work

    def bare(self, *, channels_last: bool = True) -> Callable[[], Seconds]:
        """The network alone over all images, as a side."""
        layout = torch.channels_last if channels_last else torch.contiguous_format
        network = build_embedder(self.recipe).eval().to(DEVICE).to(memory_format=layout)
        pixels = torch.from_numpy(self.open().take(range(len(self.table)))).to(DEVICE)
        settings = self.recipe.training

        def loop() -> Seconds:
            clock = Clock()
            with torch.inference_mode(), autocast(settings.precision):
                for first in range(0, len(pixels), settings.batch):
                    inputs = network.prepare(pixels[first : first + settings.batch])
                    network(inputs.contiguous(memory_format=layout)).cpu()
            return clock.read()

        return loop


class Repeated(HeldImages):
    """As many images as are asked for, of 256 drawn at random."""

    def __init__(self, rows: int, size: int) -> None:
        some = np.random.default_rng(0).integers(0, 256, (min(rows, 256), size, size, 3), dtype=np.uint8)
        super().__init__(some)
        self.usable = np.ones(rows, bool)

    def __len__(self) -> int:
        return len(self.usable)

    def take(self, rows: Any) -> np.ndarray:
        return super().take(np.asarray(rows) % super().__len__())


def made_up(recipe: Recipe, folder: Path, rows: int) -> Training:
    """Training on images that no file stands behind, so that reading them takes no time."""
    frame = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(rows)],
            "identity": [f"animal {n // 8}" for n in range(rows)],
            "encounter": [str(n) for n in range(rows)],
            "part": "train",
        }
    )
    images = Repeated(rows, recipe.images.size)
    return Training(recipe, Table.of(frame, folder), images, folder / "run")


def train_some(model: str, size: int, batch: int, precision: str, folder: str) -> Callable[[], object]:
    """Three training steps, for a process of its own."""
    return made_up(
        recipe_of(model, size, batch=batch, precision=precision), Path(folder), 3 * batch
    ).through_the_engine


def embed_some(model: str, size: int, batch: int, precision: str, folder: str) -> Callable[[], object]:
    """Three batches embedded, for a process of its own."""
    network, images = build_embedder(recipe_of(model, size)), Repeated(3 * batch, size)
    return lambda: embed(network, images, device=DEVICE, precision=precision, batch=batch)
