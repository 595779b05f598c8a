"""A gallery of numbers in which some animals have two names, and one name holds two animals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tests.core.gallery.made import MARK, RULE, WIDTH

from wildreid.gallery.store import Gallery

ANIMALS, ENCOUNTERS = 5, 3


def doubled(
    folder: Path, *, animals: int = ANIMALS, encounters: int = ENCOUNTERS, noise: float = 0.35
) -> Gallery:
    """Each animal has encounters of two photos; animal 0 stands under two names, 3 and 4 under one."""
    draw = np.random.default_rng(3)
    centres = draw.standard_normal((animals, WIDTH))
    rows, vectors = [], []
    for animal in range(animals):
        for encounter in range(encounters):
            for frame in range(2):
                name = f"bear {min(animal, 3)}" if animal or encounter else "bear 0 again"
                day = pd.Timestamp("2024-05-01") + pd.Timedelta(days=encounter * animals + animal)
                rows.append(
                    {
                        "key": f"{animal:04x}{encounter:04x}{frame:024x}",
                        "image": f"{animal}-{encounter}-{frame}.jpg",
                        "identity": name, "camera": "cam", "visit": f"cam@{day.date()}", "timestamp": day,
                    }
                )  # fmt: skip
                vectors.append(centres[animal] + noise * draw.standard_normal(WIDTH))
    unit = np.asarray(vectors, np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    gallery = Gallery.create(folder, MARK, rule=RULE)
    gallery.add(pd.DataFrame(rows), unit, model=MARK)
    return gallery
