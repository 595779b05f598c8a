"""Masks as others keep them: picture files, COCO's polygons and run lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.artefacts import Missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from wildreid.artefacts import Crop

FINER = 4
"""Polygons are drawn so many times larger and then reduced, which softens their edges."""
FORMATS = ("PNG", "TIFF", "BMP", "WEBP", "JPEG")


def from_file(path: Path, crop: Crop) -> NDArray[np.uint8] | Missing:
    """The crop's part of a mask that lies in a file, as large as the photo or as its box."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as picture:
            size = picture.size  # known before anything is decoded
            box = tuple(round(side) for side in crop.box[2:]) if crop.box is not None else None
            if size not in (crop.photo, box):
                also = "" if box is None else f", its box {box[0]} × {box[1]}"
                width, height = crop.photo
                return Missing(
                    f"the mask is {size[0]} × {size[1]} pixels, the photo {width} × {height}{also}"
                )
            grey = _grey(picture)
    except FileNotFoundError:
        return Missing("the mask's file is not there")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Missing(f"the mask cannot be read: {str(error).splitlines()[0]}")
    if size == crop.photo:
        return _cut(grey, crop)
    assert crop.box is not None
    left, top, right, bottom = (round(edge) for edge in crop.scaled(crop.box))
    canvas = Image.new("L", crop.shape[::-1])
    inside = grey.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BILINEAR)
    canvas.paste(inside, (left, top))
    return np.asarray(canvas)


def _grey(picture: Image) -> Image:
    """255 where the animal is, whatever way the picture says it."""
    import numpy as np
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA"):
        return picture.getchannel("A")
    levels = np.asarray(picture if picture.mode in ("P", "I;16", "I") else picture.convert("L"))
    if (picture.mode != "L" and picture.mode != "RGB") or levels.max(initial=0) < 128:  # numbers of classes
        levels = 255 * (levels > 0)
    return Image.fromarray(levels.astype(np.uint8))


def drawn(text: str, crop: Crop) -> NDArray[np.uint8] | Missing:
    """The crop's part of COCO's ``segmentation``, as JSON: polygons, or run lengths, compressed or not."""
    import numpy as np
    from PIL import Image, ImageDraw

    try:
        said = json.loads(text)
        if isinstance(said, dict):
            mask = run_lengths(said)
            if mask.shape[::-1] != crop.photo:
                height, width = mask.shape
                return Missing(
                    f"the mask is {width} × {height} pixels, the photo {crop.photo[0]} × {crop.photo[1]}"
                )
            return _cut(Image.fromarray(mask), crop)
        polygons = [said] if said and not isinstance(said[0], list) else said
        height, width = crop.shape
        picture = Image.new("L", (FINER * width, FINER * height))
        pen = ImageDraw.Draw(picture)
        for polygon in polygons:
            corners = np.array(polygon, np.float64).reshape(-1, 2)
            if not np.isfinite(corners).all():
                raise ValueError("a corner is no number")
            scaled = [crop.scaled((x, y, 0, 0))[:2] for x, y in corners.tolist()]
            pen.polygon([(FINER * x, FINER * y) for x, y in scaled], fill=255)
        return np.asarray(picture.reduce(FINER))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        return Missing(f"its polygons or run lengths cannot be read: {str(error).splitlines()[0]}")


def run_lengths(said: dict[str, Any]) -> NDArray[np.uint8]:
    """COCO's ``{"size": [height, width], "counts": …}`` as (height, width), 255 where the animal is.

    Counts are a list, or COCO's text: numbers of five bits a character, from the fourth on as differences to the
    last but one (`rleFrString` of https://github.com/cocodataset/cocoapi, maskApi.c). Runs go down the columns,
    the first is place.

    Raises:
        ValueError: they do not fill the size.
    """
    import numpy as np

    height, width = (int(side) for side in said["size"])
    counts = said["counts"]
    if isinstance(counts, str):
        counts = _numbers(counts)
    runs = np.array(counts, np.int64)
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f"the runs add up to {runs.sum()}, not to {width} × {height}")
    values = np.arange(len(runs)) % 2 * 255
    return np.repeat(values.astype(np.uint8), runs).reshape(width, height).T.copy()


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:  # the sign
            value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("the text of run lengths ends within a number")
    return found


def _cut(mask: Image, crop: Crop) -> NDArray[np.uint8]:
    """The crop's part of a mask as large as the photo."""
    import numpy as np
    from PIL import Image

    left, top, width, height = crop.window
    box = (left, top, left + width, top + height)
    return np.asarray(mask.resize(crop.shape[::-1], Image.Resampling.BILINEAR, box=box))
