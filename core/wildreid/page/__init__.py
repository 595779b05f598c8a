"""The look that our pages share: one self-contained HTML file, inline SVG plots, thumbnails."""

from wildreid.page.heat import heated
from wildreid.page.larger import Larger
from wildreid.page.lines import matched_points
from wildreid.page.plots import Series, bars, line
from wildreid.page.private import WITHHELD, Veil
from wildreid.page.render import TEMPLATES, render
from wildreid.page.thumbnails import sprite, thumbnail
from wildreid.page.words import count, figure, interval, percent, words_of

__all__ = [
    "TEMPLATES",
    "WITHHELD",
    "Larger",
    "Series",
    "Veil",
    "bars",
    "count",
    "figure",
    "heated",
    "interval",
    "line",
    "matched_points",
    "percent",
    "render",
    "sprite",
    "thumbnail",
    "words_of",
]
