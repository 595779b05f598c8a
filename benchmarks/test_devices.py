"""What a device can do: precision, compilation, how busy it is, and several of them.

Written for GPUs and run unchanged without one, in miniature: the micro network, and two processes that talk by gloo
on the processor. Images are in memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from benchmarks.loops import DEVICE, Training, made_up, recipe_of
from benchmarks.record import Record
from benchmarks.several import epoch
from benchmarks.timing import Seconds
from benchmarks.watching import busy, middle, waiting

from wildreid.errors import Interrupted, UserError

GPU = DEVICE == "cuda"
MODELS = ["resnet18", "resnet50", "convnext_tiny", "convnext_large"] if GPU else ["test_convnext"]
SIZE, BATCH, IMAGES = (224, 64, 64 * 40) if GPU else (32, 32, 512)
SEVERAL = [(model, SIZE, BATCH, IMAGES) for model in MODELS]
"""Backbone, pixels a side, images a batch of one process, images an epoch."""
if not GPU:
    SEVERAL += [("test_convnext", 96, 32, 2048), ("resnet18", 224, 16, 96)]


@pytest.mark.parametrize(
    ("precision", "compiled"),
    [
        ("bf16", False),
        pytest.param("fp32", True, marks=pytest.mark.full),
        pytest.param("bf16", True, marks=[pytest.mark.full, pytest.mark.large]),
    ],
)
@pytest.mark.parametrize("model", MODELS)
def test_precision_and_compile(
    record: Record, tmp_path: Path, model: str, precision: str, compiled: bool
) -> None:
    """The second epoch through the engine beside the same in fp32, not compiled; the first compiles."""
    row = {"backbone": model, "size": SIZE, "batch": BATCH, "precision": precision, "compiled": compiled}
    plain = made_up(
        recipe_of(model, SIZE, batch=BATCH, epochs=2, precision="fp32"), tmp_path / "plain", IMAGES
    )
    changed = made_up(
        recipe_of(model, SIZE, batch=BATCH, epochs=2, precision=precision, compile=compiled),
        tmp_path / "changed",
        IMAGES,
    )
    try:
        changed.through_the_engine()
    except Interrupted:
        raise
    except UserError as error:
        record.missing("Precision and compilation", row, error.what)
        return
    plain.through_the_engine()
    sides = {"as the row says": changed.through_the_engine, "fp32, not compiled": plain.through_the_engine}
    record.beside("Precision and compilation", row, sides, warm=False, count=IMAGES, unit="images")


@pytest.mark.parametrize("workers", [2, 0])
@pytest.mark.parametrize("model", MODELS)
def test_waiting(record: Record, tmp_path: Path, model: str, workers: int) -> None:
    """One epoch from the warm cache, images read ahead by so many threads.

    Waiting: on a GPU the time in which its stream had nothing to do until the next images were there, else the time
    that the loop stood still for them. Busy: by nvidia-smi, else the processor time of all threads; the median of
    looks every tenth of a second. Five epochs.
    """
    training = Training.of(recipe_of(model, SIZE, batch=BATCH, workers=workers), tmp_path, IMAGES)
    looks: list[float] = []
    seconds: list[Seconds] = []
    shares: list[float] = []

    def once() -> None:
        with waiting() as idle, busy() as seen:
            seconds.append(training.through_the_engine())
            shares.append(100 * idle() / seconds[-1].wall)
        looks.extend(seen)

    record.benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    last = seconds[-5:]
    record.row(
        "Waiting for data", {"backbone": model, "size": SIZE, "batch": BATCH, "threads that read": workers},
        seconds={"wildreid": last}, count=IMAGES, unit="images",
        figures={"waiting, % of the time": middle(shares[-5:]), "busy, %": middle(looks)},
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize(("model", "size", "batch", "images"), SEVERAL)
def test_several(record: Record, tmp_path: Path, model: str, size: int, batch: int, images: int) -> None:
    """The same joint batch by one process and by several, of which each has a GPU, or on the processor a core.

    The second epoch of processes that were started for it, in turns. Where a step takes a few milliseconds, as on
    32 pixels, most of it is Python's, which every process repeats.
    """
    cores = torch.cuda.device_count() if GPU else 2
    row = {"backbone": model, "size": size, "batch": batch * cores, "processes": cores}
    if cores < 2:
        record.missing("Several devices", row, "there is one GPU here")
        return
    work = (model, size, batch * cores, images, tmp_path)
    sides = {"several": lambda: epoch(cores, 1, *work), "one": lambda: epoch(1, cores, *work)}
    record.beside(
        "Several devices", row, sides, warm=False, count=images, unit="images",
        aims=None if GPU else {"one": (">=", 0.9)},
    )  # fmt: skip
