"""Matched points of two photos: the photos side by side and a line from each point to its counterpart, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

MOST = 60
"""Lines that are drawn, the surest; more hide the photos."""


def matched_points(
    pictures: tuple[str, str], lines: Sequence[Sequence[float]], *, size: int, words: str,
    most: int = MOST, height: float | None = None,
) -> Markup:  # fmt: skip
    """Two square photos and the lines between them, coloured from the least sure to the surest of them.

    Args:
        pictures: data URIs.
        lines: x and y in the first, x and y in the second, and confidence, the surest first.
        size: pixels a side that the lines are measured in.
        words: what is seen, for those who do not see it.
        most: lines that are drawn.
        height: of the drawing, where both photos are lower than their squares, in the middle of which they are.
    """
    drawn = [[float(number) for number in line] for line in lines[:most]]
    sure = [line[4] for line in drawn]
    low, high = min(sure, default=0.0), max(sure, default=1.0)
    gap, tall = size // 32, size if height is None else height
    parts = [
        Markup('<svg class="matched" viewBox="0 {:.0f} {} {:.0f}" role="img" aria-label="{}">').format(
            (size - tall) / 2, 2 * size + gap, tall, words
        )
    ]
    parts += [
        Markup('<image href="{}" x="{}" y="0" width="{}" height="{}"/>').format(uri, left, size, size)
        for uri, left in zip(pictures, (0, size + gap), strict=True)
    ]
    for x, y, other_x, other_y, confidence in reversed(drawn):  # the surest on top
        share = (confidence - low) / (high - low) if high > low else 1.0
        parts.append(
            Markup(
                '<g stroke="{}"><line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}"/>'
                '<circle cx="{:.0f}" cy="{:.0f}" r="{r}"/><circle cx="{:.0f}" cy="{:.0f}" r="{r}"/></g>'
            ).format(
                _colour(share), x, y, other_x + size + gap, other_y, x, y, other_x + size + gap, other_y,
                r=max(1, size // 110),
            )
        )  # fmt: skip
    return Markup("").join([*parts, Markup("</svg>")])


def _colour(share: float) -> str:
    hue, light = tint(share)
    return str(escape(f"hsl({hue:.0f} 85% {light:.0f}%)"))


def tint(share: float) -> tuple[float, float]:
    """Hue in degrees and lightness in percent, from violet over green to yellow.

    Told apart by those who see few colours, for it grows lighter.
    """
    return 290 - 235 * share, 38 + 24 * share
