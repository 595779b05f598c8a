"""Thumbnails: a small JPEG of each annotation, named by its key; pages and people look at them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wildreid.files import ASIDE
from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State

FOLDER = "thumbnails"
LONGEST = 160
"""Pixels on the longer side."""
MATCHED = 320
"""The same where photos are matched point by point: lines are drawn over them."""


def place(folder: Path, key: str) -> Path:
    """Where the thumbnail of an annotation lies: 256 folders, so that none grows too large."""
    return folder / FOLDER / key[:2] / f"{key}.jpg"


def save(
    folder: Path,
    images: Iterable[tuple[str, NDArray[np.uint8]]],
    *,
    longest: int = LONGEST,
    replace: bool = False,
) -> None:
    """Write the thumbnails of some (key, (h, w, 3) image) pairs; those that are there are kept, unless `replace`.

    They are encoded again from pixels, so that no EXIF comes along. They are made before the rows are added;
    a thumbnail without a row does no harm.
    """
    for key, image in images:
        path = place(folder, key)
        if path.exists() and not replace:
            continue
        small = Image.fromarray(image)
        small.thumbnail((longest, longest), reducing_gap=2)
        out = io.BytesIO()
        small.save(out, "JPEG", quality=80, optimize=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}{ASIDE}")
        aside.write_bytes(out.getvalue())
        aside.replace(path)


def load(folder: Path, key: str) -> NDArray[np.uint8] | None:
    """The thumbnail (h, w, 3); None where there is none."""
    try:
        with Image.open(place(folder, key), formats=("JPEG",)) as image:
            return np.asarray(image.convert("RGB"))
    except OSError:
        return None


def missing(state: State) -> int:
    """How many images in the gallery have no thumbnail; 0 for a gallery that was made without any."""
    if not (state.folder / FOLDER).is_dir():
        return 0
    keys = state.keys[state.codes != GONE]
    return sum(not place(state.folder, key).exists() for key in keys)
