"""Encounters along time: where their dots and the axis' dates lie, in the units of one drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

WIDTH = 640
"""Of a timeline, in its own units."""


def dots(encounters: Iterable[tuple[Any, int]], low: Any, high: Any) -> list[dict[str, Any]]:
    """A dot for each (date, number of images), the larger the more images."""
    return [
        {
            "x": across(when, low, high),
            "r": 3 + min(5.0, math.log2(images)),
            "words": f"{when:%Y-%m-%d}, {images} image{'s' if images != 1 else ''}",
        }
        for when, images in encounters
    ]


def ticks(low: Any, high: Any) -> list[dict[str, Any]]:
    """Round dates along the axis: years, months or days, six at most."""
    import pandas as pd

    if low is None:
        return []
    for step in ("D", "7D", "MS", "QS", "YS", "2YS", "5YS", "10YS"):
        days = pd.date_range(low.normalize(), high, freq=step)
        days = days[days >= low] if len(days) > 1 else days
        if len(days) <= 6:
            break
    form = "%Y" if "YS" in step else "%b %Y" if step in ("MS", "QS") else "%d %b %Y"
    return [{"x": across(max(day, low), low, high), "words": f"{day:{form}}"} for day in days]


def across(when: Any, low: Any, high: Any) -> float:
    """Where a time lies between the ends of the axis."""
    span = (high - low).total_seconds() or 1.0
    return round(10 + (WIDTH - 20) * float((when - low).total_seconds()) / span, 1)
