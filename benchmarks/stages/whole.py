"""From a table to embeddings in one process, as a run goes, with small photos and the micro network.

Each function prepares a stage for a number of images and returns the work, which alone is measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.loops import recipe_of
from benchmarks.stages.data import SIDE, write_photos

from wildreid.data.audit import audit
from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.data.read import read_table
from wildreid.data.splits import split
from wildreid.data.store import open_images
from wildreid.recipe.settings import Encounters, Images
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder
from wildreid_plugins.splitters.open_set import OpenSet

Work = Callable[[], object]


def to_embeddings(count: int, folder: str) -> Work:
    """Read, fingerprint, decode, group, split, audit, and embed into a memory-mapped file, with cold caches."""
    photos, cache = Path(folder) / "photos", Path(folder) / f"whole {count}"
    file = Path(folder) / f"whole {count}.csv"
    write_photos(count, photos).rows[["image", "identity", "camera", "timestamp"]].to_csv(file, index=False)
    shutil.rmtree(cache, ignore_errors=True)
    network = build_embedder(recipe_of("test_convnext", SIDE))
    with torch.inference_mode():
        network(
            torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)
        )  # torch's own libraries are loaded before memory is watched

    def work() -> None:
        table = fingerprint(read_table(file, photos), cache=cache)
        images = open_images(table, Images(size=SIDE), cache=cache)
        table = split(annotate(table, Encounters()), OpenSet(), seed=0)
        audit(table)
        table.save(cache / "table.parquet")
        embed(network, images, device="cpu", batch=256, out=cache / "embeddings.npy")

    return work
