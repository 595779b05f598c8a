"""From a box as somebody's file writes it to pixels of the upright photo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SLACK = 2.0
"""Pixels by which a box may leave its photo: sums of rounded numbers do."""
_SIDEWAYS = (5, 6, 7, 8)


def upright(
    values: NDArray[np.float64],
    size: NDArray[np.float64],
    orientation: NDArray[np.float64],
    *,
    relative: bool | NDArray[np.bool_],
    corners: bool = False,
    stored: bool | NDArray[np.bool_] = False,
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Boxes in pixels of upright photos, and what is wrong with those that are none.

    A relative box is multiplied by the photo's size and not rounded. What leaves the photo by at most
    `SLACK` pixels is cut off; by more, or without an area, it is no box.

    Args:
        values: (n, 4) x, y, width, height.
        size: (n, 2) width and height of the upright photos; NaN where unknown.
        orientation: (n,) their EXIF orientation, 1 to 8: how the stored pixels are turned to be upright.
        relative: shares of the photo's width and height, not pixels; one for all, or (n,).
        corners: `values` are x1, y1, x2, y2.
        stored: they are of the photo as it is stored; one for all, or (n,).

    Returns:
        (n, 4) left, top, width, height; (n,) None, or what is wrong, the numbers after a colon.
    """
    with np.errstate(all="ignore"):
        ends = values.copy() if corners else np.concatenate([values[:, :2], values[:, :2] + values[:, 2:]], 1)
        swapped: NDArray[np.bool_] = np.atleast_1d(np.isin(orientation, _SIDEWAYS) & stored)
        frame = np.where(swapped[:, None], size[:, ::-1], size)
        shares: NDArray[np.bool_] = np.broadcast_to(np.asarray(relative, bool), (len(values),))
        ends = np.where(shares[:, None], ends * frame[:, [0, 1, 0, 1]], ends)
        ends = np.where(np.reshape(stored, (-1, 1)), _turned(ends, frame, orientation), ends)
        beyond = np.maximum(-ends[:, :2], ends[:, 2:] - size).max(axis=1, initial=0)
        area = np.asarray((ends[:, 2:] > ends[:, :2]).all(axis=1))
        cut = np.clip(ends, 0, size[:, [0, 1, 0, 1]])
        boxes = np.concatenate([cut[:, :2], cut[:, 2:] - cut[:, :2]], axis=1)
    wrong = np.full(len(values), None, object)
    finite = np.asarray(np.isfinite(values).all(axis=1))
    leaves = beyond > SLACK
    for row in np.flatnonzero(~finite | ~area | leaves):
        wide, high = size[row]
        told = ", ".join(f"{value:g}" for value in values[row])
        if not finite[row]:
            wrong[row] = f"the box has a number missing: {told}"
        elif not area[row]:
            wrong[row] = f"the box has no area: {told}"
        else:
            wrong[row] = (
                f"the box leaves the photo: {told} by {beyond[row]:.0f} pixels of {wide:.0f} × {high:.0f}"
            )
    return boxes, wrong


def _turned(
    ends: NDArray[np.float64], frame: NDArray[np.float64], orientation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x1, y1, x2, y2 of the stored photo, turned as EXIF's orientation turns its pixels."""
    x1, y1, x2, y2 = ends.T
    wide, high = frame.T
    turns = {
        2: (wide - x2, y1, wide - x1, y2),
        3: (wide - x2, high - y2, wide - x1, high - y1),
        4: (x1, high - y2, x2, high - y1),
        5: (y1, x1, y2, x2),
        6: (high - y2, x1, high - y1, x2),
        7: (high - y2, wide - x2, high - y1, wide - x1),
        8: (y1, wide - x2, y2, wide - x1),
    }
    turned = ends.copy()
    for number, sides in turns.items():
        here = orientation == number
        turned[here] = np.stack(sides, axis=1)[here]
    return turned
