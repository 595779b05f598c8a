"""Small pictures as data URIs, encoded again from pixels, so that nothing but pixels comes along."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def thumbnail(image: NDArray[np.uint8], longest: int = 160, *, quality: int = 72) -> str:
    """A JPEG data URI of an image (h, w, 3), at most `longest` pixels on its longer side; no EXIF."""
    small = Image.fromarray(image)
    small.thumbnail((longest, longest), reducing_gap=2)
    return _encode(small, quality)


def sprite(
    images: Iterable[NDArray[np.uint8] | None], *, side: int = 64, columns: int = 50, limit: int = 2_500_000
) -> tuple[str, int, int]:
    """One JPEG sheet of many thumbnails, cell n at column ``n % columns`` and row ``n // columns``.

    Args:
        images: each (h, w, 3), shown whole and centred in its cell; None leaves its cell grey.
        side: pixels of a cell.
        columns: cells in a row.
        limit: bytes at most; the quality is lowered until the sheet fits.

    Returns:
        its data URI, its width and its height.
    """
    cells: list[Image.Image | None] = []
    for image in images:
        cell = None if image is None else Image.fromarray(image)
        if cell is not None:
            cell.thumbnail((side, side), reducing_gap=2)
        cells.append(cell)
    sheet = Image.new(
        "RGB", (side * min(columns, max(1, len(cells))), side * max(1, -(-len(cells) // columns))), "#888"
    )
    for n, cell in enumerate(cells):
        if cell is not None:
            left, top = n % columns * side, n // columns * side
            sheet.paste(cell, (left + (side - cell.width) // 2, top + (side - cell.height) // 2))
    for quality in (60, 40, 25, 10):
        uri = _encode(sheet, quality)
        if len(uri) * 3 // 4 <= limit:
            break
    return uri, sheet.width, sheet.height


def _encode(image: Image.Image, quality: int) -> str:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality, optimize=True)
    return data_uri(out.getvalue())


def data_uri(jpeg: bytes) -> str:
    """A JPEG file as a page holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
