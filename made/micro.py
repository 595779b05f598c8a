"""A training run of a second: images in memory, a tiny network, and a child process that can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wildreid import files
from wildreid.artefacts import Evidence
from wildreid.data.pixels import HeldImages
from wildreid.data.table import Table
from wildreid.kinds import Dataset, Metric, Splitter
from wildreid.recipe.model import Recipe
from wildreid.registry import Registry
from wildreid.training import loop

SIZE = 32


class NoDataset(Dataset):
    """Training is handed its table."""

    name = "none"

    def table(self) -> Table:
        raise NotImplementedError


class NoSplitter(Splitter):
    """Training is handed its parts."""

    name = "none"

    def split(self, *, table: Table, seed: int) -> Table:
        raise NotImplementedError


class NoMetric(Metric):
    """Nothing is measured."""

    name = "none"

    def measure(self, *, evidence: Evidence) -> dict[str, Any]:
        raise NotImplementedError


def herd(individuals: int = 6, images: int = 8, *, size: int = SIZE) -> tuple[Table, HeldImages]:
    """Animals of one colour pattern each, under noise; every fourth image validates, the last two test."""
    draw = np.random.default_rng(0)
    coats = draw.integers(0, 255, (individuals, 1, 4, 4, 3)).repeat(size // 4, 2).repeat(size // 4, 3)
    noise = draw.integers(-60, 60, (individuals, images, size, size, 3))
    pixels = np.clip(coats + noise, 0, 255).astype(np.uint8).reshape(-1, size, size, 3)
    number = np.tile(np.arange(images), individuals)
    who = np.repeat(np.arange(individuals), images)
    rows = pd.DataFrame(
        {
            "image": [f"animal {a}/{n}.jpg" for a, n in zip(who, number, strict=True)],
            "identity": [f"animal {a}" for a in who],
            "encounter": [f"{a} day {n // 2}" for a, n in zip(who, number, strict=True)],
            "part": np.where(number >= images - 2, "test", np.where(number % 4 == 0, "val", "train")),
        }
    )
    return Table.of(rows, Path("/nowhere")), HeldImages(pixels)


REGISTRY = Registry()


def recipe(**changes: Any) -> Recipe:
    """A recipe of training alone; settings of ``training`` are laid over the small ones here."""
    training = {"epochs": 2, "batch": 8, "workers": 1} | changes.pop("training", {})
    fields: dict[str, Any] = {
        "dataset": NoDataset(),
        "splitter": NoSplitter(),
        "metrics": [NoMetric()],
        "images": {"size": SIZE},
        "backbone": {"name": "timm", "model": "test_convnext", "drop_path": 0.1},
        "head": {"name": "mlp", "width": 8, "hidden": 16, "dropout": 0.1},
        "loss": "triplet",
        "miner": "distance-weighted",
        "sampler": {"name": "per-identity", "images": 4},
        "optimizer": "adam",
        "scheduler": "cosine",
        "transforms": ["rotation", "color"],
        "training": training,
    }
    return Recipe.model_validate(fields | changes, context={"registry": REGISTRY})


def validator(table: Table) -> Callable[[NDArray[np.float32]], dict[str, float]]:
    """Share of val images whose nearest other val image shows the same animal."""
    who = table.of_part("val")["identity"].to_numpy(str)

    def validate(embeddings: NDArray[np.float32]) -> dict[str, float]:
        scores = embeddings @ embeddings.T
        np.fill_diagonal(scores, -2)
        return {"accuracy@1": float((who[scores.argmax(1)] == who).mean())}

    return validate


def run_in_child(folder: Path, changes: dict[str, Any], *, die: tuple[str, int] | None, resume: bool) -> None:
    """Train in this process, and kill it (SIGKILL) where `die` says.

    Args:
        folder: the run's.
        changes: of the recipe.
        die: ``("batch", n)`` when the nth batch is read, ``("write", n)`` when the nth file has been written
            beside its place and is not yet moved there, ``("moved", n)`` just after that; None: live.
        resume: go on from the last checkpoint.
    """
    torch.set_num_threads(1)
    table, images = herd()
    counts = {"batch": 0, "write": 0, "moved": 0}

    def count(event: str) -> None:
        counts[event] += 1
        if die == (event, counts[event]):
            os.kill(os.getpid(), signal.SIGKILL)

    take, put = images.take, files.put

    def counted_take(rows: Any) -> NDArray[np.uint8]:
        count("batch")
        return take(rows)

    def counted_put(path: Path, write: Callable[[Path], object], *, lasting: bool = False) -> None:
        def then_count(aside: Path) -> None:
            write(aside)
            count("write")

        put(path, then_count, lasting=lasting)
        count("moved")

    images.take = counted_take  # type: ignore[method-assign]
    from wildreid.training import best, checkpoint, embedder

    for module in (files, best, checkpoint, embedder):
        module.put = counted_put  # type: ignore[attr-defined]
    loop.train(
        recipe(**changes), table, images, folder, validate=validator(table), device="cpu", resume=resume
    )
    (folder / "events.txt").write_text(repr(counts))
