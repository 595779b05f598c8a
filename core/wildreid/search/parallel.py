"""Parallel coordinates as inline SVG: an axis for each draw, a line for each trial."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from wildreid.search.board import short
from wildreid.search.draw import Choice, Draw, LogUniform, Scalar
from wildreid.search.ledger import Entry

STEP, TOP, HEIGHT, BOTTOM = 118, 62, 300, 16
"""Pixels between axes, above them, along them and below them."""


class _Axis:
    """From drawn values to pixels, the first or highest at the top."""

    def __init__(self, name: str, ticks: Sequence[Scalar], *, words: bool, log: bool = False) -> None:
        self.name, self.ticks, self.words, self.log = name, ticks, words, log

    def __call__(self, value: Scalar) -> float:
        if self.words:
            share = (self.ticks.index(value) + 0.5) / len(self.ticks)
        else:
            low, high, at = (self._scaled(one) for one in (self.ticks[0], self.ticks[-1], value))
            share = 0.5 if high == low else (high - at) / (high - low)
        return TOP + HEIGHT * share

    def _scaled(self, value: Scalar) -> float:
        return math.log(float(value or 0)) if self.log else float(value or 0)


def parallel(draws: Sequence[Draw], entries: Sequence[Entry], watch: str, *, best: int | None) -> Markup:
    """One line for each trial that has a value, through what was drawn for it to its value on the last axis.

    Where something was not drawn, the line has a gap. The best tenth are drawn strongest, and last.

    Args:
        draws: the axes.
        entries: the trials.
        watch: what their value is.
        best: the number of the trial to mark.
    """
    measured = [entry for entry in entries if entry.value is not None]
    shown = [one for one in draws if len({entry.values.get(one.name) for entry in measured}) > 1]
    if len(measured) < 2 or not shown:
        return Markup('<p class="missing">There are too few trials to compare.</p>')
    figures = sorted(entry.value or 0.0 for entry in measured)
    axes = [_axis(one, measured) for one in shown]
    axes.append(_Axis(watch, _round((figures[0], figures[-1])), words=False))
    strong = figures[math.floor(0.9 * len(figures))]
    body = []
    for entry in sorted(measured, key=lambda entry: (entry.number == best, entry.value)):
        look = "best" if entry.number == best else "strong" if (entry.value or 0.0) >= strong else "weak"
        body.append(_line(entry, axes, look))
    body += [_drawn(axis, n) for n, axis in enumerate(axes)]
    width, height = STEP * len(axes) + 10, TOP + HEIGHT + BOTTOM
    return Markup(
        f'<div class="parallel" role="region" tabindex="0" aria-label="Parallel coordinates">'
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="What was drawn for each trial, and its {escape(watch)}">{"".join(body)}</svg></div>'
    )


def _axis(one: Draw, entries: Sequence[Entry]) -> _Axis:
    if isinstance(one.form, Choice):
        return _Axis(one.name, tuple(one.items), words=True)
    low, high = one.ends()
    log = isinstance(one.form, LogUniform)
    middle = (
        math.sqrt(float(low or 0) * float(high or 0)) if log else (float(low or 0) + float(high or 0)) / 2
    )
    return _Axis(one.name, (low, middle, high), words=False, log=log)


def _round(ends: tuple[float, float]) -> tuple[float, float, float]:
    return ends[0], sum(ends) / 2, ends[1]


def _line(entry: Entry, axes: Sequence[_Axis], look: str) -> str:
    points: list[Scalar | _Absent] = [entry.values.get(axis.name, _ABSENT) for axis in axes[:-1]]
    points.append(entry.value)
    pieces: list[list[str]] = [[]]
    for n, (axis, value) in enumerate(zip(axes, points, strict=True)):
        if isinstance(value, _Absent):
            pieces.append([])
        else:
            pieces[-1].append(f"{_x(n)} {axis(value):.1f}")
    path = "".join(f"M{'L'.join(piece)}" for piece in pieces if len(piece) > 1)
    # a value with gaps on both sides is a dot
    dots = "".join(
        f'<circle cx="{piece[0].split()[0]}" cy="{piece[0].split()[1]}" r="2.5"/>'
        for piece in pieces
        if len(piece) == 1
    )
    said = escape(f"trial {entry.number}: {entry.value:.3f}")
    return f'<g class="{look}"><title>{said}</title><path d="{path}"/>{dots}</g>'


class _Absent:
    """Stands for what was not drawn; None may be drawn."""


_ABSENT = _Absent()


def _drawn(axis: _Axis, n: int) -> str:
    x = _x(n)
    name = axis.name.split(".")
    lines = "".join(
        f'<text class="name" x="{x}" y="{TOP - 14 * (len(name) - k)}" text-anchor="middle">'
        f"{escape(word)}</text>"
        for k, word in enumerate(name)
    )
    ticks = "".join(
        f'<text class="tick" x="{x + 5}" y="{axis(value) + 4:.1f}">{escape(short(value))}</text>'
        for value in axis.ticks
    )
    return f'<path class="axis" d="M{x} {TOP}V{TOP + HEIGHT}"/>{lines}{ticks}'


def _x(n: int) -> int:
    return STEP // 2 + STEP * n
