"""Turns boxes and points with photos that were taken with the camera on its side.

imglab shows a photo as it is stored; everything else, and a table's boxes too, sees it upright.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd  # noqa: TID253 (this module is imported where a file is read)
from PIL import Image

from wildreid.data.images import FORMATS
from wildreid.data.table import BOX

_ORIENTATION = 0x0112

# From a point of the stored photo, w pixels wide and h high, to one of the upright photo, by EXIF's orientation.
_TURNS: dict[int, Callable[[float, float, float, float], tuple[float, float]]] = {
    2: lambda x, y, w, h: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (h - y, x),
    7: lambda x, y, w, h: (h - y, w - x),
    8: lambda x, y, w, h: (y, w - x),
}


def upright(rows: pd.DataFrame, root: Path, points: tuple[str, ...]) -> pd.DataFrame:
    """The rows with boxes and points in pixels of the upright photos; only headers are read.

    Args:
        rows: with ``image``, boxes, and columns such as ``leye_x`` and ``leye_y``.
        root: the folder that images are relative to.
        points: the names of the points.
    """
    rows = rows.copy()
    for image, mine in rows.groupby("image", sort=False):
        turned = _stored(root / str(image))
        if turned is None:
            continue
        turn, width, height = turned
        for at in mine.index:
            for point in points:
                pair = [f"{point}_x", f"{point}_y"]
                if rows.loc[at, pair].notna().all():
                    rows.loc[at, pair] = turn(*rows.loc[at, pair], width, height)
            if rows.loc[at, list(BOX)].notna().all():
                left, top, wide, high = rows.loc[at, list(BOX)]
                (a, b), (c, d) = turn(left, top, width, height), turn(left + wide, top + high, width, height)
                rows.loc[at, list(BOX)] = [min(a, c), min(b, d), abs(a - c), abs(b - d)]
    return rows


def _stored(path: Path) -> tuple[Callable[..., tuple[float, float]], int, int] | None:
    """How a photo is to be turned, and its stored width and height; None where it is upright, or unreadable."""
    try:
        with Image.open(path, formats=FORMATS) as photo:
            turn = _TURNS.get(photo.getexif().get(_ORIENTATION, 1))
            return (turn, *photo.size) if turn else None
    except Exception:  # whether the pixels can be read is asked later
        return None
