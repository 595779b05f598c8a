"""Heat over two photos: what each place of them adds to their similarity, as a picture over the picture."""

from __future__ import annotations

import base64
import colorsys
import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from PIL import Image

from wildreid.page.lines import tint

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 96
"""Pixels of an overlay; it is smooth, and the page enlarges it."""
MOST = 0.6
"""How much of the photo the hottest place hides."""


def heated(pictures: tuple[str, str], maps: Sequence[Sequence[Sequence[float]]], *, words: str) -> Markup:
    """Two square photos, each with its places coloured by what they add to the similarity of the two.

    Violet adds little and yellow most, by the photo's own hottest place; what adds nothing, or takes away, stays
    clear.

    Args:
        pictures: data URIs.
        maps: (side, side) of each photo.
        words: what is seen, for those who do not see it.
    """
    parts = [Markup('<svg class="matched" viewBox="0 0 1032 512" role="img" aria-label="{}">').format(words)]
    for uri, one, left in zip(pictures, maps, (0, 520), strict=True):
        over = overlay(np.asarray(one, np.float64))
        parts += [
            Markup(
                '<image href="{}" x="{}" y="0" width="512" height="512" preserveAspectRatio="none"/>'
            ).format(href, left)
            for href in (uri, over)
        ]
    return Markup("").join([*parts, Markup("</svg>")])


def overlay(heat: NDArray[np.float64]) -> str:
    """A PNG data URI of (h, w) heat: its colour and how much it hides rise with what is above 0."""
    positive = np.clip(heat, 0, None)
    top = float(positive.max(initial=0))
    grey = Image.fromarray((positive / top if top else positive).astype(np.float32))
    share = np.clip(np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC)), 0, 1)
    pixels = _palette()[np.rint(255 * share).astype(np.uint8)]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@cache
def _palette() -> NDArray[np.uint8]:
    """(256, 4) red, green, blue and alpha, from nothing to the hottest."""
    rows = []
    for step in range(256):
        hue, light = tint(step / 255)
        rgb = colorsys.hls_to_rgb(hue / 360, light / 100, 0.85)
        rows.append([round(255 * one) for one in (*rgb, MOST * step / 255)])
    return np.array(rows, np.uint8)
