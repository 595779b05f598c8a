"""The places where the drawn bears are seen, out of focus: falls, a meadow and woods, by season."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SMALL = 40  # a background is drawn this small and then enlarged, which puts it out of focus


GROUNDS = {
    "falls": {
        "spring": ((150, 178, 190), (78, 112, 120)),
        "summer": ((140, 180, 205), (62, 110, 128)),
        "autumn": ((170, 175, 178), (84, 98, 104)),
    },
    "meadow": {
        "spring": ((190, 205, 170), (120, 140, 70)),
        "summer": ((200, 205, 150), (112, 138, 52)),
        "autumn": ((205, 185, 140), (150, 120, 62)),
    },
    "woods": {
        "spring": ((96, 112, 88), (62, 66, 46)),
        "summer": ((72, 100, 66), (40, 56, 34)),
        "autumn": ((140, 110, 72), (76, 56, 38)),
    },
}


@lru_cache(maxsize=2)  # the frames of a burst share it
def background(camera: str, season: str, seed: int, size: int) -> Image.Image:
    """A picture of a camera's place on one day, `size` pixels a side; copy it before drawing on it."""
    rng = np.random.default_rng(seed)
    picture = Image.fromarray(_sky(SMALL, *GROUNDS[camera][season], rng))
    _PLACES[camera](ImageDraw.Draw(picture), SMALL, season, rng)
    soft = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 0.9))))
    return soft.resize((size, size), Image.Resampling.BICUBIC)


def _sky(
    side: int, top: tuple[int, ...], bottom: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Two colours that run into one another, each changed by the day, with a horizon of its own."""
    high, low = (
        np.multiply(colour, rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)) for colour in (top, bottom)
    )
    share = 1 / (1 + np.exp(-(np.linspace(0, 1, side) - rng.uniform(0.3, 0.7)) * rng.uniform(5, 16)))
    rows = high + (low - high) * share[:, None]
    return np.broadcast_to(rows[:, None], (side, side, 3)).clip(0, 255).astype(np.uint8)


def _shift(
    colour: tuple[int, int, int], rng: np.random.Generator, much: float = 0.25
) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in np.clip(np.multiply(colour, rng.uniform(1 - much, 1 + much)), 0, 255))
    return red, green, blue


def _falls(pen: ImageDraw.ImageDraw, side: int, season: str, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(8, 22)):
        x, y = rng.uniform(-5, side, 2)
        pen.line(
            [x, y, x + rng.uniform(4, 18), y + rng.normal(0, 1)], fill=_shift((215, 228, 232), rng), width=1
        )
    for _ in range(rng.integers(1, 5)):
        x, y, r = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(2, 7)
        pen.ellipse([x - 1.6 * r, y - r, x + 1.6 * r, y + r], fill=_shift((88, 88, 84), rng))


def _meadow(pen: ImageDraw.ImageDraw, side: int, season: str, rng: np.random.Generator) -> None:
    grass = {"spring": (122, 150, 66), "summer": (140, 158, 60), "autumn": (176, 146, 78)}[season]
    for _ in range(rng.integers(30, 70)):
        x, y = rng.uniform(0, side), rng.uniform(side * 0.2, side)
        pen.line([x, y, x + rng.normal(0, 2), y - rng.uniform(4, 12)], fill=_shift(grass, rng, 0.4), width=1)
    for _ in range(rng.integers(0, 9) if season != "autumn" else 0):
        x, y = rng.uniform(0, side, 2)
        pen.ellipse([x - 1, y - 1, x + 1, y + 1], fill=_shift((225, 190, 200), rng))


def _woods(pen: ImageDraw.ImageDraw, side: int, season: str, rng: np.random.Generator) -> None:
    leaves = {"spring": (112, 140, 80), "summer": (74, 120, 60), "autumn": (196, 128, 48)}[season]
    for _ in range(rng.integers(10, 26)):
        x, y, r = rng.uniform(0, side), rng.uniform(0, side * 0.7), rng.uniform(1, 5)
        pen.ellipse([x - r, y - r, x + r, y + r], fill=_shift(leaves, rng, 0.4))
    for _ in range(rng.integers(3, 8)):
        x, w = rng.uniform(0, side), rng.uniform(1, 4)
        pen.polygon(
            [x - w, side, x - 0.7 * w, 0, x + 0.7 * w, 0, x + w, side], fill=_shift((62, 50, 40), rng, 0.4)
        )


_PLACES = {"falls": _falls, "meadow": _meadow, "woods": _woods}
