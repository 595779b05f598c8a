"""Photos that are coloured noise, a colour an individual, and the table that says who is on each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

RECIPE = """\
dataset: {name: table, root: photos, file: table.csv}
encounters: {near_duplicates: false}
splitter: given
images: {size: 32}
backbone: {name: timm, model: test_resnet, pretrained: false}
head: {name: mlp, width: 16, depth: 1}
loss: triplet
miner: semi-hard
sampler: {name: per-identity, images: 2}
optimizer: adam
scheduler: constant
training: {epochs: 2, batch: 8, umap_every: null}
evaluation: {bootstrap: 50}
metrics: [accuracy-at-k]
"""
"""For a file beside the folder ``photos``."""


def by_thirds(who: int, day: int) -> str:
    """A third of the individuals in each part."""
    return ("train", "val", "test")[who % 3]


def noise(
    folder: Path,
    *,
    individuals: int = 9,
    days: int = 3,
    part: Callable[[int, int], str | None] = by_thirds,
    dated: bool = True,
    size: int = 40,
    spread: float = 30.0,
    patterned: bool = False,
) -> pd.DataFrame:
    """Two frames of each individual on each day, at one camera, as PNG, and ``table.csv`` beside them.

    Args:
        folder: made where it is not there.
        individuals: how many; they are called who0, who1 …
        days: on which each is seen, each on days of its own.
        part: of an individual on a day; None: it is not seen then.
        dated: whether the table says when.
        size: pixels a side.
        spread: of the noise.
        patterned: an individual is a pattern of pixels, not one colour.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    rows = []
    for who in range(individuals):
        look = draw.normal(128, 25, (size, size, 3)) if patterned else draw.integers(40, 215, 3)
        for day in range(days):
            if (known := part(who, day)) is None:
                continue
            for frame in range(2):
                name = f"{who}-{day}-{frame}.png"
                pixels = np.clip(look + draw.normal(0, spread, (size, size, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / name)
                when = pd.Timestamp("2024-05-01 10:00") + pd.Timedelta(days=days * who + day, seconds=frame)
                rows.append((name, f"who{who}", "gate", when if dated else None, known))
    table = pd.DataFrame(rows, columns=["image", "identity", "camera", "timestamp", "part"])
    table.to_csv(folder / "table.csv", index=False)
    return table
