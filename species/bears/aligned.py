"""Cuts faces out so that both eyes always stand at the same two places, as BearID does."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd  # noqa: TID253 (this module is imported where faces are cut out)
from PIL import Image

from wildreid.data.images import MAX_PIXELS, read
from wildreid.data.table import BOX, Failure
from wildreid.errors import UserError
from wildreid.places import cache_folder
from wildreid.progress import bar

EYES = ((0.35, 0.5), (0.65, 0.5))
"""Where the eyes come to stand, as shares of the side: ears and muzzle of a bear both have room then."""


def align(
    rows: pd.DataFrame, root: Path, *, size: int, max_pixels: int = MAX_PIXELS
) -> tuple[pd.DataFrame, Path, list[Failure]]:
    """Write an upright face for each row into the cache, unless it is there.

    A shift, turn and scaling take the eyes (columns ``leye_x`` … ``reye_y``, in pixels of the photo) to
    `EYES`; what lies outside the photo is black. The eye further left in the photo stays on the left.

    Args:
        rows: with ``image`` and the eyes.
        root: the folder that images are relative to.
        size: pixels a side.
        max_pixels: a photo that declares more is refused.

    Returns:
        The rows that have a face now, ``image`` relative to the returned folder, without boxes, the photo's
        own path in ``unaligned``; that folder; and the rows that could not be aligned.
    """
    folder = (
        cache_folder() / "aligned-bears" / hashlib.sha256(f"{root} {size} {EYES}".encode()).hexdigest()[:16]
    )
    kept, images, failures = [], [], []
    eyes = rows[["leye_x", "leye_y", "reye_x", "reye_y"]].to_numpy(dtype=float, na_value=np.nan)
    for at, (image, points) in enumerate(
        bar(zip(rows["image"], eyes.reshape(-1, 2, 2), strict=True), "aligning", total=len(rows))
    ):
        left, right = points[np.argsort(points[:, 0])]
        if not np.isfinite(points).all():
            failures.append(Failure(image, "an eye is not marked: the face cannot be aligned"))
        elif np.hypot(*(right - left)) < 2:
            failures.append(Failure(image, "the eyes are marked at one place: the face cannot be aligned"))
        else:
            try:
                images.append(_face(root / image, image, left, right, folder, size, max_pixels))
                kept.append(at)
            except UserError as error:
                failures.append(Failure(image, error.what))
    rows = rows.iloc[kept].reset_index(drop=True)
    rows = rows.assign(unaligned=rows["image"], image=images).drop(
        columns=[name for name in BOX if name in rows]
    )
    return rows, folder, failures


def _face(
    path: Path, image: str, left: np.ndarray, right: np.ndarray, folder: Path, size: int, max_pixels: int
) -> str:
    try:
        known = path.stat()
    except OSError as error:
        raise UserError(f"the photo cannot be read: {error.strerror}") from None
    what = f"{image} {known.st_size} {known.st_mtime_ns} {left.tolist()} {right.tolist()}"
    name = PurePosixPath(image).with_suffix("")
    name = name.with_name(f"{name.name}_{hashlib.sha256(what.encode()).hexdigest()[:8]}.jpg")
    target = folder / name
    if not target.is_file():
        photo = Image.fromarray(read(path, max_pixels=max_pixels))
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{target.name}.{os.getpid()}.part")
        _cut(photo, left, right, size).save(aside, format="JPEG", quality=95)
        aside.replace(target)
    return str(name)


def _cut(photo: Image.Image, left: np.ndarray, right: np.ndarray, size: int) -> Image.Image:
    """The inverse similarity: for each pixel of the face, where in the photo it comes from."""
    (u, v), (w, _) = EYES
    across = right - left
    a, b = across / ((w - u) * size)  # one pixel of the face to the right is (a, b) in the photo
    shrink = max(1, int(np.hypot(a, b)))  # Pillow's transform does not smooth: large faces are reduced first
    photo = photo.reduce(shrink) if shrink > 1 else photo
    a, b, (x, y) = a / shrink, b / shrink, left / shrink
    c, f = x - a * u * size + b * v * size, y - b * u * size - a * v * size
    return photo.transform(
        (size, size), Image.Transform.AFFINE, (a, -b, c, b, a, f), Image.Resampling.BICUBIC
    )
