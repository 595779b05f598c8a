"""Where the square that a matcher looks at lies in a row's picture, so that lines can be drawn over the picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wildreid.data.foreground import tightened
from wildreid.data.images import Box, cutout, fitted, measure
from wildreid.errors import UserError
from wildreid.recipe.settings import Images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Window = tuple[int, int, int, int]


def placed(
    path: Path, box: Box | None, settings: Images, *, mask: NDArray[np.uint8] | None, size: int
) -> NDArray[np.float32]:
    """(4,) left and top of a row's square, width and height of one of its pixels, as shares of the row's picture.

    The picture is the photo's part in the box with the margin around it; see `wildreid.data.table.Table.crop`.

    Args:
        path: the photo.
        box: of the animal.
        settings: the recipe's ``images``: how much is around the box, and whether the mask makes it smaller.
        mask: of the animal in the picture; None: the square shows the box alone, without the margin.
        size: pixels of the square's side.

    Raises:
        UserError: the photo can no longer be read.
    """
    shape = measure(path)
    if shape is None:
        raise UserError("the image cannot be read", where=str(path))
    picture = cutout(shape, box, settings.margin, path)
    if mask is None:
        return within(cutout(shape, box, 0.0, path), picture, size)
    margin = settings.margin if settings.tighten else None
    return within(tightened(mask, margin, picture), picture, size)


def within(window: Window, picture: Window, size: int) -> NDArray[np.float32]:
    """As `placed`, of a window (left, top, right, bottom) of the photo that was fitted into a padded square."""
    found = []
    shown = fitted(window[2] - window[0], window[3] - window[1], size, "pad")
    for axis in (0, 1):
        a_pixel = (window[axis + 2] - window[axis]) / shown[axis]
        start = window[axis] - (size - shown[axis]) // 2 * a_pixel
        whole = picture[axis + 2] - picture[axis]
        found.append(((start - picture[axis]) / whole, a_pixel / whole))
    (left, width), (top, height) = found
    return np.array([left, top, width, height], np.float32)
