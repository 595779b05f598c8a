"""Boxes as others write them, against pixels that are really turned."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from wildreid.data.boxes import upright


def _of(
    values: list[float], size: tuple[int, int], orientation: int = 1, **how: bool
) -> tuple[list, str | None]:
    boxes, wrong = upright(
        np.array([values], float), np.array([size], float), np.array([orientation], float), **how
    )
    return boxes[0].tolist(), wrong[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("relative", [True, False])
def test_a_box_of_the_stored_photo_is_where_its_pixels_are_when_upright(
    orientation: int, relative: bool
) -> None:
    stored = np.zeros((40, 60), np.uint8)
    stored[10:16, 20:45] = 255  # x 20 to 45, y 10 to 16
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = orientation
    turned = np.asarray(ImageOps.exif_transpose(picture))
    rows, columns = np.flatnonzero(turned.any(axis=1)), np.flatnonzero(turned.any(axis=0))
    expected = [columns[0], rows[0], len(columns), len(rows)]
    values = [20 / 60, 10 / 40, 25 / 60, 6 / 40] if relative else [20, 10, 25, 6]
    box, wrong = _of(values, turned.shape[::-1], orientation, relative=relative, stored=True)
    assert wrong is None
    assert box == pytest.approx(expected)


def test_relative_corners_and_pixels_say_the_same() -> None:
    assert _of([0.1, 0.2, 0.3, 0.5], (100, 50), relative=True) == ([10, 10, 30, 25], None)
    assert _of([10, 10, 40, 35], (100, 50), relative=False, corners=True) == ([10, 10, 30, 25], None)


def test_a_relative_box_is_not_rounded() -> None:
    box, _ = _of([1 / 3, 0, 1 / 3, 1], (100, 50), relative=True)
    assert box[0] == pytest.approx(100 / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "box"),
    [([-1.5, -2, 50, 20], [0, 0, 48.5, 18]), ([90, 30, 12, 22], [90, 30, 10, 20])],
)
def test_two_pixels_beyond_the_photo_are_cut_off(values: list[float], box: list[float]) -> None:
    assert _of(values, (100, 50), relative=False) == (box, None)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([-3, 0, 50, 20], "leaves the photo"),
        ([90, 30, 10, 23], "leaves the photo"),
        ([10, 10, 0, 5], "no area"),
        ([10, 10, 5, -1], "no area"),
        ([10, 10, float("nan"), 5], "missing"),
        ([10, 10, float("inf"), 5], "missing"),
    ],
)
def test_what_is_no_box_says_why(values: list[float], word: str) -> None:
    _, wrong = _of(values, (100, 50), relative=False)
    assert wrong is not None
    assert word in wrong.partition(":")[0]


def test_a_photo_of_unknown_size_leaves_pixels_as_they_are() -> None:
    assert _of([10, 10, 5000, 5], (np.nan, np.nan), relative=False)[1] is None
