"""JPEG files with as much detail as photos have, and their table."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from wildreid.data.table import Table

KINDS = {"chips": (300, 300), "frames": (2000, 1500)}
"""Width and height of cut-out animals and of whole frames."""


def photos(folder: Path, files: int, size: tuple[int, int], *, rows: int | None = None) -> Table:
    """Write smooth shapes under film grain as JPEGs of quality 90, and give their table, eight rows an animal.

    Args:
        folder: made where it is not there.
        files: how many.
        size: width and height.
        rows: of the table; those after the first `files` are copies of them. None: no copies.
    """
    draw = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(files):
        coarse = Image.fromarray(draw.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize(size)
        grain = draw.integers(-12, 12, (size[1], size[0], 1))
        pixels = np.clip(np.asarray(coarse, np.int16) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{n:04d}.jpg", quality=90)
    number = np.arange(files if rows is None else rows)
    for n in number[files:]:
        shutil.copyfile(folder / f"{n % files:04d}.jpg", folder / f"{n:04d}.jpg")
    frame = pd.DataFrame(
        {
            "image": [f"{n:04d}.jpg" for n in number],
            "identity": [f"animal {n // 8}" for n in number],
            "encounter": [str(n) for n in number],
            "part": "train",
        }
    )
    return Table.of(frame, folder)
