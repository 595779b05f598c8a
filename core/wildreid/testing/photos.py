"""Small photos to test with: animals that are patterns, seen by two cameras on several days, in bursts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image


def draw_photos(
    folder: Path,
    *,
    individuals: int = 12,
    encounters: int = 4,
    burst: int = 2,
    size: int = 64,
    dated: bool = True,
    seed: int = 0,
) -> Path:
    """Draw photos as ``<identity>/<camera>_<yyyymmdd-hhmmss>_<frame>.jpg``, and their table ``photos.csv``.

    An animal is a pattern of coloured blocks. The place, the light and the background change between
    encounters and hardly within a burst, as on a camera trap.

    Args:
        folder: made where it is not there.
        individuals: animals.
        encounters: days on which each is seen; the last animal is seen on one day alone.
        burst: photos an encounter.
        size: pixels a side.
        dated: whether file names and table hold the time; else they hold a number.
        seed: of all that is drawn.

    Returns:
        The path of the table, with columns image, identity, and, where dated, camera and timestamp.
    """
    random = np.random.default_rng(seed)
    coats = random.integers(30, 226, (individuals, 4, 4, 3))
    rows = []
    for who in range(individuals):
        for meeting in range(1 if who == individuals - 1 else encounters):
            scene = _scene(random, size)
            light, place = random.uniform(0.6, 1.3), random.integers(0, size // 2, 2)
            for frame in range(burst):
                when = pd.Timestamp("2024-06-01 08:00") + pd.Timedelta(
                    days=meeting * 9 + who, seconds=7 * frame
                )
                camera = f"camera{(who + meeting) % 2 + 1}"
                taken = f"{camera}_{when:%Y%m%d-%H%M%S}" if dated else f"{meeting}"
                image = f"animal{who:02d}/{taken}_{frame}.jpg"
                picture = _picture(random, scene, coats[who], np.minimum(place + frame, size // 2), light)
                (folder / image).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(folder / image, quality=90)
                row = {"image": image, "identity": f"animal{who:02d}"}
                rows.append({**row, "camera": camera, "timestamp": when.isoformat()} if dated else row)
    table = folder / "photos.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    return table


def _scene(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    """(size, size, 3) a background of soft colours."""
    coarse = random.uniform(60, 200, (5, 5, 3)).astype(np.uint8)
    soft = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(soft, dtype=np.float64)


def _picture(
    random: np.random.Generator,
    scene: NDArray[np.float64],
    coat: NDArray[np.int64],
    place: NDArray[np.int64],
    light: float,
) -> NDArray[np.uint8]:
    """(size, size, 3) the coat, half the picture wide, before the scene, with a little noise."""
    picture = scene.copy()
    half = len(scene) // 2
    down, right = place
    blocks = coat.repeat(-(-half // 4), axis=0).repeat(-(-half // 4), axis=1)[:half, :half]
    picture[down : down + half, right : right + half] = blocks
    noisy = picture * light + random.normal(0, 4, picture.shape)
    return noisy.clip(0, 255).astype(np.uint8)
