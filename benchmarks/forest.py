"""A plot of many figures with their ranges, one a line, under a common axis: inline SVG in the page's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, LEFT, RIGHT, LINE, FOOT = 720, 300, 16, 22, 40


@dataclass(frozen=True)
class Mark:
    """One line of the plot.

    Attributes:
        label: its words, on the left.
        value: where its dot stands.
        low: the lower end of its range.
        high: the upper end.
        group: the words of its colour in the legend.
        aim: where a small upright line stands; None for none.
    """

    label: str
    value: float
    low: float
    high: float
    group: str = ""
    aim: float | None = None


def forest(marks: Sequence[Mark], *, title: str, x: str, reference: float | None = None) -> Markup:
    """The figures one under the other.

    Args:
        marks: the lines, from above.
        title: said to those who do not see the plot.
        x: words below the axis.
        reference: where a dashed line goes through all of them.
    """
    values = [v for mark in marks for v in (mark.low, mark.high, mark.aim, reference) if v is not None]
    low, high = min(values), max(values)
    log = reference is not None and low > 0 and high / low > 5  # ratios; an accuracy is read as it stands
    ticks = _log_ticks(low, high) if log else _ticks(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    groups = list(dict.fromkeys(mark.group for mark in marks))
    height = LINE * len(marks) + FOOT

    def across(value: float) -> float:
        ends = (math.log(low), math.log(high)) if log else (low, high)
        share = ((math.log(value) if log else value) - ends[0]) / (ends[1] - ends[0])
        return LEFT + share * (WIDTH - RIGHT - LEFT)

    floor = height - FOOT
    body = []
    for tick in ticks:
        body.append(f'<path class="grid" d="M{across(tick):.1f} 0V{floor}"/>')
        body.append(
            f'<text class="tick" x="{across(tick):.1f}" y="{floor + 16}" text-anchor="middle">{tick:g}</text>'
        )
    body.append(f'<path class="axis" d="M{LEFT} {floor}H{WIDTH - RIGHT}"/>')
    if reference is not None:
        body.append(f'<path class="ideal" d="M{across(reference):.1f} 0V{floor}"/>')
    for n, mark in enumerate(marks):
        y, colour = LINE * (n + 0.5), groups.index(mark.group) % 8
        said = escape(f"{mark.label}: {mark.value:.3g} ({mark.low:.3g} to {mark.high:.3g})")
        body.append(
            f'<text class="name" x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(mark.label)}</text>'
        )
        body.append(
            f'<path class="whisker s{colour}" d="M{across(mark.low):.1f} {y}H{across(mark.high):.1f}"/>'
        )
        if mark.aim is not None:
            body.append(f'<path class="axis" d="M{across(mark.aim):.1f} {y - 8}V{y + 8}"/>')
        body.append(
            f'<circle class="p{colour}" cx="{across(mark.value):.1f}" cy="{y}" r="4"><title>{said}</title></circle>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    body.append(f'<text class="name" x="{middle}" y="{height - 6}" text-anchor="middle">{escape(x)}</text>')
    key = "".join(f'<li class="k{n % 8}">{escape(name)}</li>' for n, name in enumerate(groups) if name)
    legend = f'<ul class="legend">{key}</ul>' if len(groups) > 1 else ""
    return Markup(
        f'<div class="plot forest"><svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">{"".join(body)}</svg>{legend}</div>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from just below to just above."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * next(size for size in (1, 2, 5, 10) if size * unit >= rough * 0.999)
    return [n * step for n in range(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, or the powers alone where there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = (1, 2, 5) if len(powers) < 4 else (1,)
    all_of = [size * 10.0**power for power in powers for size in fine]
    first = max((n for n, tick in enumerate(all_of) if tick <= low), default=0)
    last = next((n for n, tick in enumerate(all_of) if tick >= high), len(all_of) - 1)
    return all_of[first : last + 1]
