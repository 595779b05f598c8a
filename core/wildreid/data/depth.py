"""Pictures deeper than 8 bit, as scientific and thermal cameras make them, brought to 8 by a stated rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras use of the 16 in a file."""
FLAT = 24
"""Grey levels, of 256, that a picture must span to be seen."""
SHARES = (0.1, 99.9)
"""Percentiles of a picture's values that become black and white where it must be stretched."""


def is_deep(picture: Image.Image) -> bool:
    """Whether a picture holds grey values of more than 8 bit, or numbers with fractions."""
    return picture.mode.startswith("I") or picture.mode == "F"


def eight_bit(picture: Image.Image) -> Image.Image:
    """A deep grey picture as 8-bit grey.

    Whole numbers are divided by what their depth needs: the least of `DEPTHS` that holds the greatest value (a
    12-bit camera in a 16-bit file: by 16). Where the result would span fewer than `FLAT` levels, as a thermal
    picture of a cold night does, and always for fractions, the `SHARES` percentiles become black and white.

    Raises:
        ValueError: a value is not finite, or below 0 in a picture of whole numbers.
    """
    values = np.asarray(picture)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are no numbers (NaN or infinite); save it as an 8-bit picture")
    low, high = np.percentile(values, SHARES)
    if picture.mode != "F" and values.min() >= 0:
        bits = int(values.max()).bit_length()
        depth = next((depth for depth in DEPTHS if bits <= depth), bits)
        grey = values.astype(np.float64) / 2.0 ** (depth - 8)
        if low == high or (high - low) / 2.0 ** (depth - 8) >= FLAT:
            return _grey(np.floor(grey))
    if low == high:
        raise ValueError("all its values are the same, so there is nothing to see")
    return _grey((values.astype(np.float64) - low) / (high - low) * 255)


def check_colours(picture: Image.Image) -> None:
    """Refuse a colour picture of 16 bit a channel that uses so few of them that it comes out black.

    Pillow keeps the upper 8 of the 16 bits; a 12-bit camera leaves four of these empty.

    Args:
        picture: one whose `raw_mode` has 16 bits a channel.

    Raises:
        ValueError: it is such a picture.
    """
    if max(high for _, high in picture.convert("RGB").getextrema()) < 2**4:  # type: ignore[misc]
        raise ValueError(
            "a colour picture of 12 bit or less in 16 comes out black; save it as an 8-bit picture"
        )


def raw_mode(picture: Image.Image) -> str:
    """How a file that was opened, and not decoded yet, stores its pixels: ``RGB;16B``."""
    tiles: Any = getattr(picture, "tile", None) or []
    args = tiles[0][3] if tiles else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _grey(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))
