"""The look that our pages share: one self-contained HTML file, inline SVG plots, thumbnails."""

from wildreid.page.plots import Series, bars, line
from wildreid.page.private import WITHHELD, Veil
from wildreid.page.render import TEMPLATES, render
from wildreid.page.thumbnails import sprite, thumbnail

__all__ = ["TEMPLATES", "WITHHELD", "Series", "Veil", "bars", "line", "render", "sprite", "thumbnail"]
