"""Heat over photos: where it is hot the overlay hides most, and nothing where nothing was added."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from wildreid.page.heat import MOST, SIDE, heated, overlay


def decode(uri: str) -> np.ndarray:
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_hottest_place_hides_most_and_what_takes_away_nothing() -> None:
    heat = np.zeros((4, 4))
    heat[0, 3], heat[3, 0] = 0.5, -0.7
    alpha = decode(overlay(heat))[..., 3]
    assert alpha.shape == (SIDE, SIDE)
    y, x = np.unravel_index(alpha.argmax(), alpha.shape)
    assert y < SIDE / 4 < 3 * SIDE / 4 <= x
    assert abs(int(alpha.max()) - 255 * MOST) <= 1
    assert not alpha[3 * SIDE // 4 :, : SIDE // 4].any()


def test_heat_of_nothing_is_clear() -> None:
    assert not decode(overlay(np.zeros((3, 3))))[..., 3].any()
    assert not decode(overlay(np.full((3, 3), -1.0)))[..., 3].any()


def test_both_photos_have_an_overlay_and_words() -> None:
    drawn = heated(("data:a", "data:b"), [[[1.0]], [[0.5]]], words="<two> cows")
    assert drawn.count("<image ") == 4
    assert 'aria-label="&lt;two&gt; cows"' in drawn
