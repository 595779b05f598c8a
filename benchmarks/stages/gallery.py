"""A gallery of random embeddings, and its stages.

Each function prepares a stage for a number of images and returns the work, which alone is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from wildreid.gallery.manifest import FILE, Mark
from wildreid.gallery.store import Gallery
from wildreid.identification.identify import identify
from wildreid.identification.search import Search

Work = Callable[[], object]
WIDTH = 512
MARK = Mark(name="made", weights="w", transform="t", width=WIDTH)
PEOPLE = 1000


def unit(rows: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, WIDTH), dtype=np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def annotated(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    days = draw.integers(0, 300, rows)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    return pd.DataFrame(
        {
            "key": [f"{seed:08x}{row:024x}" for row in range(rows)],
            "image": [f"cam/{seed}/{row}.jpg" for row in range(rows)],
            "identity": [f"bear {who}" for who in draw.integers(0, PEOPLE, rows)],
            "camera": "cam",
            "visit": "cam@" + pd.Series(dates).dt.strftime("%Y-%m-%d"),
            "timestamp": dates,
        }
    )


def filled(folder: Path, rows: int, step: int = 100_000) -> Gallery:
    """A gallery of so many images; one that is there already is taken, though a hundred were added to it since."""
    if (folder / FILE).is_file() and (there := Gallery(folder)).state.images >= rows:
        return there
    gallery = Gallery.create(folder, MARK, exact_up_to=2_000_000)
    for number, start in enumerate(range(0, rows, step)):
        part = min(step, rows - start)
        gallery.add(annotated(part, number), unit(part, number), model=MARK)
    return gallery


def gallery_adding(count: int, folder: str) -> Work:
    gallery = Gallery.create(Path(folder) / f"new gallery {count}", MARK)
    rows, vectors = annotated(count, 0), unit(count, 0)
    return lambda: gallery.add(rows, vectors, model=MARK)


def gallery_adding_a_hundred(count: int, folder: str) -> Work:
    gallery = filled(Path(folder) / f"gallery {count}", count)
    rows, vectors = annotated(100, 77), unit(100, 77)
    return lambda: gallery.add(rows, vectors, model=MARK)


def gallery_opening(count: int, folder: str) -> Work:
    gallery = filled(Path(folder) / f"gallery {count}", count)
    return lambda: Gallery(gallery.folder).state


def identifying(count: int, folder: str) -> Work:
    search = Search(filled(Path(folder) / f"gallery {count}", count).state)
    asking = annotated(32, 99).assign(burst=np.arange(32)).rename(columns={"image": "id"})
    search.similarity(unit(1, 1))
    return lambda: identify(search, asking, unit(32, 99))


def one_query(count: int, folder: str) -> Work:
    search = Search(filled(Path(folder) / f"gallery {count}", count).state)
    search.similarity(unit(1, 1))
    return lambda: search.similarity(unit(1, 2))
