"""Galleries made of numbers: no photos, no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wildreid.artefacts import Decision
from wildreid.gallery.features import HEAD, Points
from wildreid.gallery.manifest import Mark, Matching
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery

WIDTH = 16
MARK = Mark(name="made", weights="w", transform="t", width=WIDTH)
RULE = Rule(
    decision=Decision(
        threshold=0.8,
        target=0.05,
        method="logistic",
        scores=(-1.0, 0.0, 1.0),
        probabilities=(0.0, 0.2, 0.9),
        gallery=(10, 100),
        queries=(50, 20),
        simulated=False,
        protocol="cross-encounter",
    ),
    new_below=0.5,
    known_called_new=0.05,
)

MATCHING = Matching(
    stands="fused", matchers=({"name": "dots"},), fingerprints=("dots 1",), curves=({"slope": 1.0},)
)
RECORD = 50


def unit(rows: int, seed: int, width: int = WIDTH) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def annotations(rows: int, seed: int, *, people: int = 6) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    days = draw.integers(0, 20, rows)
    return pd.DataFrame(
        {
            "key": [f"{seed:08x}{row:024x}" for row in range(rows)],
            "image": [f"cam/{seed}-{row}.jpg" for row in range(rows)],
            "identity": [f"bear {who}" for who in draw.integers(0, people, rows)],
            "camera": "cam",
            "visit": [f"cam@2024-05-{day + 1:02d}" for day in days],
            "timestamp": pd.Timestamp("2024-05-01") + pd.to_timedelta(days, unit="D"),
        }
    )


def made(folder: Path, rows: int = 60, *, people: int = 6, exact_up_to: int = 1_000_000) -> Gallery:
    gallery = Gallery.create(folder, MARK, rule=RULE, exact_up_to=exact_up_to)
    if rows:
        gallery.add(annotations(rows, 1, people=people), unit(rows, 1), model=MARK)
    return gallery


def points(rows: int, seed: int, *, fingerprint: str = "dots 1") -> Points:
    """Local features of the rows of `annotations`, whose numbers mean nothing."""
    draw = np.random.default_rng(seed)
    heads = np.zeros(rows, HEAD)
    heads["key"] = draw.integers(1, 256, (rows, 16))
    heads["count"] = draw.integers(0, 9, rows)
    heads["place"] = draw.uniform(size=(rows, 4))
    records = draw.integers(0, 256, (rows, RECORD)).astype(np.uint8)
    return Points("dots", fingerprint, RECORD, heads, lambda at: records[at])
