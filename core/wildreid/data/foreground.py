"""The animal and the place: which part of a mask is the animal, what is read of a photo, what lies behind."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from wildreid.data.images import MAX_PIXELS, Box, Pixels, fitted, opened, padded

GREY = 127
"""What stands in the place of whatever is hidden."""
EMPTY, FULL = 0.002, 0.98
"""Shares of a crop: a mask under the one shows no animal, above the other no place."""
DOUBTS = (
    "",
    "the mask shows no animal",
    "the mask covers the whole crop",
    "most of the mask is neither animal nor place",
)


def the_animal(
    mask: NDArray[np.uint8], middle: tuple[float, float] | None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One animal's part of a mask that may show several.

    Kept is the part that lies at the middle; where none does, or there is no middle, the largest.

    Args:
        mask: (height, width); from 128 on it is animal.
        middle: x and y of the box's middle in the mask, or None.

    Returns:
        The mask of that part, and (height, width) whether a pixel is of another part.
    """
    from scipy import ndimage

    solid = mask > 127
    parts, count = ndimage.label(solid, np.ones((3, 3)))
    if count < 2:
        return mask, np.zeros(mask.shape, bool)
    chosen = 0
    if middle is not None:
        x, y = (min(int(at), end - 1) for at, end in zip(middle, mask.shape[::-1], strict=True))
        chosen = int(parts[y, x])
    chosen = chosen or int(np.bincount(parts[solid]).argmax())
    own = parts == chosen
    near = ndimage.binary_dilation(own, np.ones((3, 3)), iterations=max(1, max(mask.shape) // 64))
    return np.where(near & (own | ~solid), mask, 0).astype(np.uint8), solid & ~own


def doubt(mask: NDArray[np.uint8]) -> int:
    """The place in `DOUBTS` of why a mask is not to be relied on; 0 where it is."""
    share = float((mask > 127).mean())
    if share < EMPTY:
        return 1
    if share > FULL:
        return 2
    return 3 if ((mask >= 64) & (mask < 192)).mean() > share else 0


def behind(image: NDArray[np.uint8], background: str, *, seed: bytes) -> NDArray[np.uint8]:
    """An image with another background.

    Args:
        image: (size, size, 4), the mask of the animal last.
        background: ``keep``; ``grey``; ``blur``: so blurred that no place is known by it, without the animal's own
            colours; ``noise``: a random colour in each pixel.
        seed: of the noise.
    """
    if background == "keep":
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    pixels = image[..., :3].astype(np.float32)
    if background == "grey":
        other: NDArray[np.float32] | float = float(GREY)
    elif background == "noise":
        random = np.random.default_rng(int.from_bytes(seed, "little"))
        other = random.integers(0, 256, pixels.shape).astype(np.float32)
    else:
        known = (1 - alpha).astype(np.float32)
        other = _blurred((pixels * known).astype(np.float32), known)
    mixed = np.rint(alpha * pixels + (1 - alpha) * other).astype(np.uint8)
    return np.concatenate([mixed, image[..., 3:]], axis=2)


def _blurred(pixels: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted mean of the colours around each pixel, within an eighth of the image."""
    blur = ImageFilter.GaussianBlur(len(pixels) / 8)

    def around(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        grey = Image.fromarray(np.rint(plane).astype(np.uint8))
        return np.asarray(grey.filter(blur), np.float32)

    total = around(255 * weights[..., 0]) + 1e-3
    return np.stack([255 * around(pixels[..., n]) / total for n in range(3)], axis=2).clip(0, 255)


def framed(
    path: Path,
    *,
    mask: Pixels,
    tighten: bool,
    size: int,
    how: Literal["pad", "squash"] = "pad",
    box: Box | None = None,
    margin: float = 0.0,
    max_pixels: int = MAX_PIXELS,
) -> Pixels:
    """Read as `square` does, with the animal's mask as a fourth channel.

    Args:
        path: the file.
        mask: (side, side) uint8, stretched over what `square` would read.
        tighten: read only what the mask shows, with `margin` around it; none of that is outside of what `square`
            would read.
        size: pixels a side.
        how: as for `fit`.
        box: as for `read`.
        margin: as for `read`.
        max_pixels: as for `read`.

    Returns:
        (size, size, 4) uint8; the mask is 0 where the square is padded.

    Raises:
        UserError: as `read`.
    """
    frame = _Frame(mask, margin if tighten else None)

    def target(width: int, height: int) -> tuple[int, int]:
        return fitted(width, height, size, how)

    picture = opened(path, box, margin, max_pixels, target, frame.inside)
    return np.concatenate([padded(picture, size), padded(frame.cut(picture.size), size)[..., :1]], axis=2)


def framed_array(
    image: Pixels,
    *,
    mask: Pixels,
    tighten: bool,
    size: int,
    how: Literal["pad", "squash"] = "pad",
    margin: float,
) -> Pixels:
    """What `framed` makes of a file, of pixels (height, width, 3) that are in memory."""
    frame = _Frame(mask, margin if tighten else None)
    left, top, right, bottom = frame.inside(0, 0, image.shape[1], image.shape[0])
    picture = Image.fromarray(image[top:bottom, left:right])
    picture = picture.resize(fitted(picture.width, picture.height, size, how), Image.Resampling.BILINEAR)
    return np.concatenate([padded(picture, size), padded(frame.cut(picture.size), size)[..., :1]], axis=2)


def tightened(
    mask: Pixels, margin: float | None, window: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """The part of a window (left, top, right, bottom) that `framed` reads by the mask over it."""
    return _Frame(mask, margin).inside(*window)


class _Frame:
    """What of a window is read, by the mask over it, and that part of the mask.

    Args:
        mask: (side, side) uint8, stretched over the window.
        margin: around what the mask shows, as a share of its longer side; None: all of the window is read.
    """

    def __init__(self, mask: Pixels, margin: float | None) -> None:
        self._mask, self._margin = mask, margin
        self._box = (0.0, 0.0, float(mask.shape[1]), float(mask.shape[0]))

    def inside(self, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
        """The part of this window that is read."""
        down, across = (np.flatnonzero((self._mask > 127).any(axis=axis)) for axis in (1, 0))
        if self._margin is None or not len(down):
            return left, top, right, bottom
        x, y = (right - left) / self._mask.shape[1], (bottom - top) / self._mask.shape[0]
        shown = (
            left + x * across[0],
            top + y * down[0],
            left + x * (across[-1] + 1),
            top + y * (down[-1] + 1),
        )
        context = self._margin * max(shown[2] - shown[0], shown[3] - shown[1])
        part = (
            max(left, math.floor(shown[0] - context)),
            max(top, math.floor(shown[1] - context)),
            min(right, math.ceil(shown[2] + context)),
            min(bottom, math.ceil(shown[3] + context)),
        )
        self._box = ((part[0] - left) / x, (part[1] - top) / y, (part[2] - left) / x, (part[3] - top) / y)
        return part

    def cut(self, size: tuple[int, int]) -> Image.Image:
        """The mask over that part, as a picture of this width and height."""
        grey = Image.fromarray(self._mask)
        width, height = grey.size
        box = (*self._box[:2], min(self._box[2], width), min(self._box[3], height))
        return grey.resize(size, Image.Resampling.BILINEAR, box=box).convert("RGB")
