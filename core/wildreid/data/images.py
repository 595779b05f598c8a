"""From an image file that nobody vouches for to upright RGB pixels, cropped and fitted to a square."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from wildreid.data.depth import check_colours, eight_bit, is_deep, raw_mode
from wildreid.errors import UserError

Box = tuple[float, float, float, float]
Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".bmp"})
MAX_PIXELS = 120_000_000
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


def read(
    path: Path,
    *,
    box: Box | None = None,
    margin: float = 0.0,
    max_pixels: int = MAX_PIXELS,
    longest: int | None = None,
) -> Pixels:
    """Read an image, or the part of it inside a box, as the camera's owner would see it.

    EXIF orientation is applied first, so a box is in pixels of the upright image. Transparent pixels come
    out black; greys deeper than 8 bit are brought to 8 as `wildreid.data.depth.eight_bit` says.

    Args:
        path: the file; only formats in `FORMATS` are decoded, whatever its name says.
        box: left, top, width, height; what lies outside the image is cut off. None: the whole image.
        margin: context around the box, as a share of its longer side.
        max_pixels: a file that declares more is refused before anything is decoded.
        longest: shrink so that the longer side has at most so many pixels; a JPEG is then decoded at a
            reduced size. None: as it is.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UserError: no such file, not an image, a format that is not allowed, too many pixels, truncated or
            corrupt, or a box without a pixel in the image.
    """

    def shrink(width: int, height: int) -> tuple[int, int]:
        scale = 1.0 if longest is None else min(1.0, longest / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    return np.asarray(opened(path, box, margin, max_pixels, shrink))


def square(
    path: Path,
    *,
    size: int,
    how: Literal["pad", "squash"] = "pad",
    box: Box | None = None,
    margin: float = 0.0,
    max_pixels: int = MAX_PIXELS,
) -> Pixels:
    """Read as `read` does and fit into a square, in one resize; what the image cache holds.

    Returns:
        (size, size, 3) uint8.

    Raises:
        UserError: as `read`.
    """

    def target(width: int, height: int) -> tuple[int, int]:
        return fitted(width, height, size, how)

    return padded(opened(path, box, margin, max_pixels, target), size)


def fit(image: Pixels, size: int, how: Literal["pad", "squash"] = "pad") -> Pixels:
    """Fit pixels that are in memory into a square.

    Args:
        image: (height, width, 3).
        size: pixels a side.
        how: ``"pad"`` keeps the aspect ratio and adds black on two sides, ``"squash"`` does not keep it.

    Returns:
        (size, size, 3) uint8.
    """
    picture = Image.fromarray(image)
    return padded(_resized(picture, fitted(picture.width, picture.height, size, how)), size)


def fitted(width: int, height: int, size: int, how: Literal["pad", "squash"]) -> tuple[int, int]:
    """Width and height that so much of an image has in a square, before it is padded."""
    if how == "squash":
        return size, size
    scale = size / max(width, height)
    return min(size, max(1, round(width * scale))), min(size, max(1, round(height * scale)))


def padded(picture: Image.Image, size: int) -> Pixels:
    """(size, size, 3): the picture in the middle, black beside it."""
    if picture.size == (size, size):
        return np.array(picture)
    canvas = np.zeros((size, size, 3), np.uint8)
    top, left = (size - picture.height) // 2, (size - picture.width) // 2
    canvas[top : top + picture.height, left : left + picture.width] = np.asarray(picture)
    return canvas


def _resized(picture: Image.Image, target: tuple[int, int]) -> Image.Image:
    return picture if picture.size == target else picture.resize(target, Image.Resampling.BILINEAR)


def opened(
    path: Path,
    box: Box | None,
    margin: float,
    max_pixels: int,
    target: Callable[[int, int], tuple[int, int]],
    part: Callable[[int, int, int, int], tuple[int, int, int, int]] | None = None,
) -> Image.Image:
    """Upright RGB, cropped, and resized to what `target` makes of the crop's width and height.

    `part` makes a smaller window of the crop's left, top, right and bottom; then that is the crop.
    """
    _lift_cap(max_pixels)
    if not os.path.isfile(path):  # a pipe would never end
        what = "the file cannot be read: it is no file" if os.path.exists(path) else "the file does not exist"
        raise UserError(what, where=str(path))
    try:
        with Image.open(path, formats=FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise UserError(
                    f"the image declares {picture.width} × {picture.height} pixels, more than {max_pixels}",
                    where=str(path),
                    cure="leave it out, or raise images.max_pixels if you trust the file",
                )
            raw = raw_mode(picture)  # asking for EXIF may decode the file, and then it is forgotten
            turn = _turn(picture)
            turned = turn in _SIDEWAYS
            full = picture.size[::-1] if turned else picture.size
            left, top, right, bottom = cutout(full, box, margin, path)
            if part is not None:
                left, top, right, bottom = part(left, top, right, bottom)
            wanted = target(right - left, bottom - top)
            scale = max(wanted[0] / (right - left), wanted[1] / (bottom - top))
            if scale < 1:  # JPEG alone can do this: decode at a half, a quarter or an eighth
                draft = (math.ceil(picture.width * scale), math.ceil(picture.height * scale))
                picture.draft(None, draft)
            reduced = picture.width / (full[1] if turned else full[0])
            upright = _rgb(picture, raw)
            if turn is not None:
                upright = upright.transpose(turn)
    except UnidentifiedImageError:
        raise UserError(
            f"not an image, or none of {', '.join(FORMATS)}", where=str(path), cure="leave it out"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(
            f"the image declares more than {max_pixels} pixels",
            where=str(path),
            cure="leave it out, or raise images.max_pixels if you trust the file",
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error) as error:
        raise UserError(f"the image cannot be read: {error}", where=str(path)) from None
    decoded = (left * reduced, top * reduced, right * reduced, bottom * reduced)
    return _cut(upright, decoded, wanted)


def _cut(
    picture: Image.Image, window: tuple[float, float, float, float], wanted: tuple[int, int]
) -> Image.Image:
    if window == (0, 0, *picture.size) and picture.size == wanted:
        return picture
    right, bottom = min(window[2], picture.width), min(window[3], picture.height)
    return picture.resize(wanted, Image.Resampling.BILINEAR, box=(window[0], window[1], right, bottom))


def _rgb(picture: Image.Image, raw: str) -> Image.Image:
    if is_deep(picture):
        return eight_bit(picture).convert("RGB")
    if ";16" in raw:
        check_colours(picture)
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        flat = Image.new("RGB", clear.size)
        flat.paste(clear, mask=clear.getchannel("A"))
        return flat
    if picture.mode == "RGB":  # no copy: a large image is large
        picture.load()
        return picture
    return picture.convert("RGB")


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """What makes the stored pixels upright; Pillow does it itself for a TIFF."""
    return None if picture.format == "TIFF" else _TURNS.get(picture.getexif().get(_ORIENTATION, 1))


def cutout(size: tuple[int, int], box: Box | None, margin: float, path: Path) -> tuple[int, int, int, int]:
    """What is cut out for a box: left, top, right, bottom in whole pixels inside an image of this size.

    The context is a share of the box's longer side on each of its sides; what leaves the image is cut off.

    Raises:
        UserError: no pixel is left; the file's `path` is named.
    """
    if box is None:
        return 0, 0, *size
    left, top, width, height = box
    context = margin * max(width, height)
    found = (
        max(0, round(left - context)),
        max(0, round(top - context)),
        min(size[0], round(left + width + context)),
        min(size[1], round(top + height + context)),
    )
    if not (width > 0 and height > 0) or found[2] <= found[0] or found[3] <= found[1]:
        raise UserError(
            f"the box {box} has no pixel in the image of {size[0]} × {size[1]}",
            where=str(path),
            cure="correct the box, in pixels of the upright image: left, top, width, height",
        )
    return found


def _lift_cap(max_pixels: int) -> None:
    # Pillow's own cap holds for the whole process; ours is checked for each file, so it is only ever lifted
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


def measure(path: Path) -> tuple[int, int] | None:
    """Width and height of an upright image from its header; None where that cannot be read."""
    if not os.path.isfile(path):
        return None
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return picture.size[::-1] if _turn(picture) in _SIDEWAYS else picture.size
    except Exception:  # a damaged file has no size to tell; that it is damaged is told elsewhere
        return None


def measure_all(paths: Sequence[Path], *, threads: int = 4) -> list[tuple[int, int] | None]:
    """Width and height of upright images from their headers; None where a header cannot be read."""
    with ThreadPoolExecutor(threads) as pool:
        return [header[:2] if header else None for header in pool.map(header_of, paths)]


def header_of(path: Path) -> tuple[int, int, int] | None:
    """Width and height of the upright image, and the orientation (EXIF's 1 to 8) that makes it upright.

    None where the header cannot be read.
    """
    if not os.path.isfile(path):
        return None
    try:
        with Image.open(path, formats=FORMATS) as picture:
            turn = _turn(picture)
            number = next((one for one, known in _TURNS.items() if known == turn), 1)
            width, height = picture.size[::-1] if turn in _SIDEWAYS else picture.size
            return width, height, number
    except Exception:  # a damaged file has no size to tell; that it is damaged is told elsewhere
        return None
