"""The stages that need a network.

Each function prepares a stage for a number of images and returns the work, which alone is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.loops import DEVICE, Repeated, recipe_of

from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder

Work = Callable[[], object]
SIDE = 32
"""Pixels a side of the images."""


def embedding(count: int, folder: str) -> Work:
    network = build_embedder(recipe_of("test_convnext", SIDE))
    images = Repeated(count, SIDE)
    return lambda: embed(network, images, device=DEVICE, batch=256, out=Path(folder) / f"{count}.npy")
