"""Frames as PNG pictures in one window, and as one animation."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wildreid.files import put

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.projection.frames import Frame

SIDE, CAPTION, SHARPER = 640, 44, 2
PAPER, INK, UNKNOWN = (255, 255, 255), (40, 40, 40), (165, 165, 165)
MOST_FRAMES, BETWEEN, HOLD, STEP = 60, 4, 360, 40
"""Epochs in the animation at most; pictures between two of them; milliseconds of an epoch and of a step."""

Window = tuple[float, float, float]
"""The middle and the side of the square that pictures show."""


def window_of(frames: Sequence[Frame]) -> Window:
    """The smallest square that holds every point of these frames."""
    everything = np.concatenate([frame.xy for frame in frames])
    low, high = everything.min(axis=0), everything.max(axis=0)
    x, y = (low + high) / 2
    return float(x), float(y), float((high - low).max()) or 1.0


def colours_of(identity: Sequence[str]) -> list[tuple[int, int, int]]:
    """A colour for each photo: its individual's, the same in every picture; grey where it has no name."""
    names = sorted(set(identity) - {""})
    # the golden angle keeps neighbours apart however many there are
    wheel = {
        name: tuple(
            round(255 * part)
            for part in colorsys.hls_to_rgb((n * 137.508 + 150) % 360 / 360, 0.38 + 0.14 * (n % 2), 0.7)
        )
        for n, name in enumerate(names)
    }
    return [wheel[name] if name else UNKNOWN for name in identity]  # type: ignore[misc]


def picture(
    xy: NDArray[np.float64], colours: Sequence[tuple[int, int, int]], window: Window, *, title: str, note: str
) -> Image.Image:
    """A point a photo, in the colour of its individual, with two lines of words above."""
    side = SIDE * SHARPER
    image = Image.new("RGB", (side, side + CAPTION * SHARPER), PAPER)
    draw = ImageDraw.Draw(image)
    x, y, extent = window
    margin = 0.03 * side
    across = margin + (side - 2 * margin) * ((xy - (x, y)) / extent + 0.5)
    radius = float(np.clip(0.16 * side / np.sqrt(len(xy)), 4 * SHARPER, 8 * SHARPER)) / 2
    for (left, up), colour in zip(across.tolist(), colours, strict=True):
        top = image.height - up
        draw.ellipse((left - radius, top - radius, left + radius, top + radius), fill=colour)
    image = image.resize((SIDE, SIDE + CAPTION), Image.Resampling.BOX)
    words = ImageDraw.Draw(image)
    words.text((12, 6), title, fill=INK, font=ImageFont.load_default(17))
    words.text((12, 27), note, fill=INK, font=ImageFont.load_default(12))
    return image


def animation(
    frames: Sequence[Frame], colours: Sequence[tuple[int, int, int]], note: str, path: Path
) -> None:
    """Write a GIF of at most `MOST_FRAMES` epochs, evenly spread, in one window, points moving between them."""
    if len(frames) > MOST_FRAMES:
        frames = [frames[n] for n in np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int)]
    window = window_of(frames)
    pictures, times = [], []
    for before, frame in zip([None, *frames[:-1]], frames, strict=True):
        steps = [1.0] if before is None else np.linspace(0, 1, BETWEEN + 2)[1:].tolist()
        for share in steps:
            xy = frame.xy if before is None else before.xy + share * (frame.xy - before.xy)
            pictures.append(picture(xy, colours, window, title=f"epoch {frame.epoch}", note=note))
            times.append(HOLD if share == 1 else STEP)
    times[-1] = 5 * HOLD
    # one palette for all, or colours would flicker
    palette = pictures[-1].quantize(255, dither=Image.Dither.NONE)
    flat = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    how = {"save_all": True, "append_images": flat[1:], "duration": times, "loop": 0, "optimize": False}
    put(path, lambda aside: flat[0].save(aside, format="GIF", **how))
