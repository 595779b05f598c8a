"""The laptop's way: a frozen backbone is asked once for each image, then a head learns on what it said.

The images are noise of 32 pixels, so that the features are soon there; what is timed is the training of the head,
from the features in the cache to the saved weights, validation and checkpoint of each epoch included.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.record import Record
from made import micro

from wildreid.data.pixels import HeldImages
from wildreid.data.table import Table
from wildreid.evaluation.score import validator
from wildreid.training.loop import train


@pytest.mark.parametrize("images", [500, pytest.param(5_000, marks=pytest.mark.full)])
def test_head_on_cached_features(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    """EfficientNet-Lite0's 1280 features, a linear head to 512, ArcFace, AdamW, batches of 32, 50 epochs; a fifth
    of the images validates after each. The features are in the cache before the clock starts."""
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 255, (images, 32, 32, 3), dtype=np.uint8)
    number = np.arange(images)
    rows = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in number],
            "identity": [f"animal {n // 10}" for n in number],
            "encounter": [f"{n // 2}" for n in number],
            "group": [f"{n // 2}" for n in number],
            "part": np.where(number // 10 % 5 == 0, "val", "train"),
        }
    )
    table = Table.of(rows, tmp_path)
    recipe = micro.recipe(
        backbone={"name": "efficientnet-lite", "pretrained": False},
        head={"name": "linear", "width": 512},
        loss="arcface", miner="none", optimizer="adamw", transforms=[],
        training={"epochs": 50, "batch": 32, "freeze": "all", "workers": 1},
    )  # fmt: skip
    validate = validator(table, protocol="image-loo")

    def head() -> None:
        train(recipe, table, HeldImages(pixels), tmp_path / "run", validate=validate, device=record.device)

    record.beside(
        "Fifty epochs of a head on cached features",
        {"images": images},
        {"wildreid": head},
        pairs=2,
        compare="time",
        aims={"seconds": ("<=", 60.0)} if images == 5_000 else None,
    )
