"""Training and embedding, beside a bare loop of the same network on tensors that are in memory already.

Both sides lay images out channels last, compute in the same precision, and have the memory setting that the engine
makes. The network is not pretrained: its speed is the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks.fresh import cost
from benchmarks.loops import DEVICE, Embedding, Training, recipe_of
from benchmarks.record import Record

BACKBONES = [
    "test_convnext",
    "resnet18",
    pytest.param("resnet50", marks=pytest.mark.full),
    pytest.param("convnext_tiny", marks=pytest.mark.full),
    pytest.param("convnext_large", marks=[pytest.mark.full, pytest.mark.large]),
]
"""Those of the article, after one that is so small that it shows what the engine itself costs."""
BATCHES = [pytest.param(128 if DEVICE == "cuda" else 8, marks=pytest.mark.full), 32]
PRECISIONS = ["fp32", pytest.param("bf16", marks=[pytest.mark.full, pytest.mark.large])]

by_backbone = pytest.mark.parametrize("model", BACKBONES)
by_batch = pytest.mark.parametrize("batch", BATCHES)
by_precision = pytest.mark.parametrize("precision", PRECISIONS)


@pytest.fixture(scope="session")
def size(quick: bool) -> int:
    """Pixels a side."""
    return 64 if quick else 224 if DEVICE == "cuda" else 96


def images_of(model: str, batch: int) -> int:
    """Enough for a timing of some seconds, in whole batches."""
    if DEVICE == "cuda":
        return 40 * batch
    return {"test_convnext": 384, "resnet18": 128}.get(model, 32 if batch == 8 else 64)


def to_embed(model: str, batch: int) -> int:
    """More, as there is no way back: from 32 batches on the engine folds batch norms."""
    return 4 * images_of(model, batch)


@by_precision
@by_batch
@by_backbone
def test_training(
    record: Record, tmp_path: Path, model: str, batch: int, precision: str, size: int, quick: bool
) -> None:
    """One epoch of ArcFace with Adam through the engine, images from the warm cache, no augmentation.

    It is timed from the first image asked for to the end of the epoch. The peak is of three steps in a process
    of its own.
    """
    count = images_of(model, batch)
    training = Training.of(recipe_of(model, size, batch=batch, precision=precision), tmp_path, count)
    record.beside(
        "Training", {"backbone": model, "size": size, "precision": precision, "batch": batch},
        {"wildreid": training.through_the_engine, "bare loop": training.bare()},
        pairs=10 if model == "resnet18" and batch == 32 and not quick else 5,
        count=count, unit="images", aims={"bare loop": (">=", 0.95)},
        figures=peak("train_some", model, size, batch, precision, tmp_path),
    )  # fmt: skip


@by_precision
@by_batch
@by_backbone
def test_embedding(record: Record, tmp_path: Path, model: str, batch: int, precision: str, size: int) -> None:
    """All images once through the engine from the warm cache.

    From 32 batches on the engine folds batch norms into convolutions, which the bare loop does not do. The peak is
    of three batches in a process of its own.
    """
    count = to_embed(model, batch)
    embedding = Embedding.of(recipe_of(model, size, batch=batch, precision=precision), tmp_path, count)
    record.beside(
        "Embedding", {"backbone": model, "size": size, "precision": precision, "batch": batch},
        {"wildreid": embedding.through_the_engine(), "bare loop": embedding.bare()},
        count=count, unit="images", aims={"bare loop": (">=", 0.97)},
        figures=peak("embed_some", model, size, batch, precision, tmp_path),
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("state", ["warm", "cold"])
@pytest.mark.parametrize(("model", "size", "count"), [("resnet18", 224, 96), ("test_convnext", 96, 256)])
@pytest.mark.parametrize("kind", ["chips", "frames"])
def test_embedding_files(
    record: Record, tmp_path: Path, state: str, model: str, size: int, kind: str, count: int
) -> None:
    """JPEG chips of 300 × 300 and frames of 2000 × 1500; cold: never decoded, hashing and the cache included.

    The bare loop in torch's default layout is what the peers' figures are measured by.
    """
    embedding = Embedding.of(recipe_of(model, size), tmp_path, count, kind)
    record.beside(
        "Embedding from files", {"backbone": model, "size": size, "files": kind, "cache": state},
        {
            "wildreid": embedding.through_the_engine(cold=state == "cold"),
            "bare loop": embedding.bare(),
            "bare, default layout": embedding.bare(channels_last=False),
        },
        count=count, unit="images", aims={"bare loop": (">=", 0.97)} if state == "warm" else None,
    )  # fmt: skip


def peak(work: str, model: str, size: int, batch: int, precision: str, folder: Path) -> dict[str, Any]:
    """Memory of three batches, the network and libraries included; on a GPU what torch held there too."""
    found = cost(f"benchmarks.loops:{work}", model, size, batch, precision, str(folder))
    return {"peak, GB": found.peak / 1e9} | ({"peak on the GPU, GB": found.gpu / 1e9} if found.gpu else {})
