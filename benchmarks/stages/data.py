"""The stages from a table to a split, and the images' cache.

Each function prepares a stage for a number of images and returns the work, which alone is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from wildreid.data.audit import audit
from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.data.read import read_table
from wildreid.data.splits import split
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.recipe.settings import Encounters, Images
from wildreid_plugins.samplers.encounter_aware import EncounterAware
from wildreid_plugins.samplers.per_identity import PerIdentity
from wildreid_plugins.splitters.disjoint_set import DisjointSet
from wildreid_plugins.splitters.open_set import OpenSet

Work = Callable[[], object]
SIDE = 32
"""Pixels a side of the photos."""


def rows(count: int) -> pd.DataFrame:
    """Bursts of four at 200 cameras over four years; some individuals are common; hashes are random."""
    random = np.random.default_rng(0)
    visits = count // 4
    visit = np.repeat(np.arange(visits), 4)
    who = np.minimum((random.pareto(1.1, visits) * 20).astype(int), 4000)
    begin = pd.Timestamp("2018-01-01") + pd.to_timedelta(random.integers(0, 86400 * 1460, visits), unit="s")
    hashes = random.integers(0, 2**63, count, dtype=np.uint64)
    return pd.DataFrame(
        {
            "image": [f"{n % 50}/{n}.jpg" for n in range(count)],
            "identity": pd.Series(who[visit]).map("w{:05d}".format),
            "camera": pd.Series(random.integers(0, 200, visits)[visit]).map("c{}".format),
            "timestamp": begin[visit] + pd.to_timedelta(np.tile([0, 3, 6, 9], visits), unit="s"),
            "content": [f"{n:032x}" for n in range(count)],
            "phash": [f"{value:016x}" for value in hashes],
        }
    )


def table(count: int) -> Table:
    """The rows as a table, without files."""
    return Table.of(rows(count), Path("/nowhere"))


def divided(count: int) -> Table:
    """The table with encounters and parts."""
    return split(annotate(table(count), Encounters()), OpenSet(), seed=0)


def write_photos(count: int, folder: Path) -> Table:
    """Small JPEGs of noise, no two alike, and their table; what is there already stays."""
    random = np.random.default_rng(0)
    frame = rows(count)
    for part in {name.rpartition("/")[0] for name in frame["image"]}:
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in frame["image"]:
        pixels = random.integers(0, 256, (SIDE // 4, SIDE // 4, 3), dtype=np.uint8)
        if not (folder / name).exists():
            Image.fromarray(pixels).resize((SIDE, SIDE)).save(folder / name, quality=80)
    return Table.of(frame.drop(columns=["content", "phash"]), folder)


def table_reading(count: int, folder: str) -> Work:
    rows(count).to_csv(Path(folder) / f"{count}.csv", index=False)
    return lambda: read_table(Path(folder) / f"{count}.csv", Path(folder))


def fingerprints(count: int, folder: str) -> Work:
    photos = write_photos(count, Path(folder) / "photos")
    return lambda: fingerprint(photos, cache=Path(folder) / f"fingerprints {count}")


def fingerprints_again(count: int, folder: str) -> Work:
    work = fingerprints(count, folder)
    work()
    return work


def decoding(count: int, folder: str) -> Work:
    photos = write_photos(count, Path(folder) / "photos")
    return lambda: open_images(photos, Images(size=SIDE), cache=Path(folder) / f"images {count}")


def opening(count: int, folder: str) -> Work:
    work = decoding(count, folder)
    work()
    return work


def encounters(count: int, folder: str) -> Work:
    made = table(count)
    return lambda: annotate(made, Encounters())


def open_set_split(count: int, folder: str) -> Work:
    made = annotate(table(count), Encounters())
    return lambda: split(made, OpenSet(), seed=0)


def disjoint_set_split(count: int, folder: str) -> Work:
    made = annotate(table(count), Encounters())
    return lambda: split(made, DisjointSet(), seed=0)


def auditing(count: int, folder: str) -> Work:
    made = divided(count)
    return lambda: audit(made)


def sampling_per_identity(count: int, folder: str) -> Work:
    made = divided(count)
    return lambda: list(PerIdentity(images=4).build(table=made, batch=32, seed=0))


def sampling_across_encounters(count: int, folder: str) -> Work:
    made = divided(count)
    return lambda: list(EncounterAware(images=4).build(table=made, batch=32, seed=0))
