"""Thumbnails: pixels alone, at the asked size."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from wildreid.page import sprite, thumbnail


def decode(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(
    ("shape", "size"), [((400, 200, 3), (80, 160)), ((200, 400, 3), (160, 80)), ((20, 10, 3), (10, 20))]
)
def test_a_thumbnail_keeps_its_shape_and_never_grows(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    picture = decode(thumbnail(np.full(shape, 128, np.uint8), 160))
    assert picture.size == size


def test_a_thumbnail_holds_nothing_but_pixels() -> None:
    picture = decode(thumbnail(np.zeros((40, 40, 3), np.uint8)))
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_cells_of_a_sheet_lie_where_they_should() -> None:
    colours = [(200, 30, 30), (30, 200, 30), None, (30, 30, 200), (200, 200, 30)]
    images = [None if colour is None else np.full((30, 60, 3), colour, np.uint8) for colour in colours]
    uri, width, height = sprite(images, side=16, columns=2)
    assert (width, height) == (32, 48)
    sheet = np.asarray(decode(uri)).astype(int)
    for n, colour in enumerate(colours):
        seen = sheet[n // 2 * 16 + 8, n % 2 * 16 + 8]
        assert np.abs(seen - (colour or (136, 136, 136))).max() < 25, n


def test_a_sheet_is_made_coarser_until_it_fits() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 64, 64, 3)).astype(np.uint8)
    large, *_ = sprite(noise, limit=10_000_000)
    small, *_ = sprite(noise, limit=300_000)
    assert len(small) * 3 / 4 < 300_000 < len(large) * 3 / 4
