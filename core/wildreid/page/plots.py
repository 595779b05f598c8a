"""Plots as inline SVG: lines and bars in the page's own colours, which follow dark, light and print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 12, 42
_COLOURS = 8  # page.css has so many; the ninth line looks like the first


@dataclass(frozen=True)
class Series:
    """One line of a plot.

    Attributes:
        label: its words in the legend; empty where one line needs none.
        x: where its points stand.
        y: how high; None or NaN leaves a gap.
        low: the lower end of each point's interval, drawn as a whisker; empty for none.
        high: the upper end.
        points: whether each point is marked; a mark says its figures when pointed at.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    points: bool = False


def line(
    series: Sequence[Series],
    *,
    title: str,
    x: str,
    y: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    diagonal: bool = False,
    mark: float | None = None,
    percent: bool = False,
) -> Markup:
    """Lines over one pair of axes, with a legend where there are several.

    Args:
        series: the lines; the first is drawn strongest.
        title: said to those who do not see the plot.
        x: words below the axis.
        y: words above the axis.
        x_range: ends of the axis; None: what the points need.
        y_range: the same.
        log_x: a logarithmic axis, for points above 0.
        log_y: a logarithmic axis; figures of 0 and less leave a gap.
        diagonal: draw the line on which x equals y.
        mark: draw a vertical line here.
        percent: write both axes' shares as percentages where the range ends at 1.
    """
    xs = [value for one in series for value in one.x]
    ys = [v for one in series for v in _drawable((*one.y, *one.low, *one.high), log_y) if v == v]
    if not xs or not ys:
        return Markup('<p class="missing">There is nothing to draw.</p>')
    whole = x_range is None and all(float(value).is_integer() for value in xs)
    across = _Axis(*(x_range or (min(xs), max(xs))), _LEFT, WIDTH - _RIGHT, whole=whole, log=log_x)
    up = _Axis(*(y_range or (min(ys), max(ys))), HEIGHT - _BOTTOM, _TOP, log=log_y, pad=y_range is None)
    body = [_axes(across, up, x, y, percent)]
    if diagonal:
        ends = max(across.low, up.low), min(across.high, up.high)
        body.append(_path([(across(end), up(end)) for end in ends], "ideal"))
    if mark is not None:
        body.append(_path([(across(mark), up(up.low)), (across(mark), up(up.high))], "ideal"))
    for n, one in enumerate(series):
        body.append(_line(one, n % _COLOURS, across, up, log_y))
    return _figure(body, title, [one.label for one in series])


def bars(
    values: Sequence[float],
    *,
    title: str,
    x: str,
    y: str,
    labels: Sequence[str] = (),
    groups: Sequence[int] = (),
    legend: Sequence[str] = (),
) -> Markup:
    """Upright bars from 0, side by side; each says its label and value when pointed at.

    Args:
        values: their heights, not negative.
        title: said to those who do not see the plot.
        x: words below the axis.
        y: words above the axis.
        labels: one a bar.
        groups: a colour a bar, an index into `legend`; empty for one colour.
        legend: the words of the colours.
    """
    if not len(values):
        return Markup('<p class="missing">There is nothing to draw.</p>')
    across = _Axis(0, len(values), _LEFT, WIDTH - _RIGHT)
    up = _Axis(0, max(*values, 1), HEIGHT - _BOTTOM, _TOP, pad=True)
    body = [_axes(across, up, x, y, False, ticks=False)]
    gap = 0.15 if len(values) < 120 else 0.0
    for n, value in enumerate(values):
        left, width = across(n + gap / 2), across(1 - gap) - across(0)
        label = escape(labels[n]) if labels else n + 1
        body.append(
            f'<rect class="b{groups[n] if groups else 0}" x="{left:.1f}" y="{up(value):.1f}" '
            f'width="{width:.2f}" height="{up(0) - up(value):.1f}"><title>{label}: {value:g}</title></rect>'
        )
    return _figure(body, title, legend, mark="b")


class _Axis:
    """From values to pixels, with round ticks."""

    def __init__(
        self,
        low: float,
        high: float,
        start: float,
        end: float,
        *,
        log: bool = False,
        pad: bool = False,
        whole: bool = False,
    ) -> None:
        if high <= low:
            low, high = (low / 2, low * 2) if log and low > 0 else (low - 0.5, low + 0.5)
        if log:
            self.ticks = [
                10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            ]
            low, high = self.ticks[0], self.ticks[-1]
        else:
            self.ticks = _round_ticks(low, high, outside=pad, whole=whole)
            if pad:
                low, high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        self.low, self.high, self.log = low, high, log
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(value), math.log10(low), math.log10(high)
        return self._start + (min(max(value, low), high) - low) / (high - low) * (self._end - self._start)


def _round_ticks(low: float, high: float, *, outside: bool, whole: bool) -> list[float]:
    """Round numbers between two ends, or just around them; whole ones for epochs and the like."""
    rough = (high - low) / 4.5
    unit = 10.0 ** math.floor(math.log10(rough))
    sizes = (1, 2, 5, 10) if unit == 1 else (1, 2, 2.5, 5, 10)
    step = unit * next(size for size in sizes if size * unit >= rough * 0.999)
    step = max(1, step) if whole else step
    if outside:
        start, stop = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    else:
        start, stop = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(start, stop + 1)]


def _axes(across: _Axis, up: _Axis, x: str, y: str, percent: bool, *, ticks: bool = True) -> str:
    body = []
    for value in up.ticks:
        at = up(value)
        body.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        body.append(
            f'<text class="tick" x="{_LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">'
            f"{_tick(value, up, percent)}</text>"
        )
    for value in across.ticks if ticks else []:
        body.append(
            f'<text class="tick" x="{across(value):.1f}" y="{HEIGHT - _BOTTOM + 17}" text-anchor="middle">'
            f"{_tick(value, across, percent)}</text>"
        )
    body.append(f'<path class="axis" d="M{_LEFT} {HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}"/>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    body.append(f'<text class="name" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x)}</text>')
    half = (_TOP + HEIGHT - _BOTTOM) / 2
    body.append(
        f'<text class="name" transform="translate(12 {half}) rotate(-90)" text-anchor="middle">'
        f"{escape(y)}</text>"
    )
    return "".join(body)


def _tick(value: float, axis: _Axis, percent: bool) -> str:
    if percent and axis.low >= 0 and axis.high <= 1:
        return f"{100 * value:.0f}"
    if axis.log or abs(value) >= 10_000:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.6g}"


def _line(one: Series, n: int, across: _Axis, up: _Axis, log: bool) -> str:
    body: list[str] = []
    run: list[tuple[float, float]] = []
    heights = _drawable(one.y, log)
    for at, value in zip(one.x, heights, strict=True):
        if math.isnan(value):
            body.append(_path(run, f"s{n}"))
            run = []
        else:
            run.append((across(at), up(value)))
    body.append(_path(run, f"s{n}"))
    for at, low, high in zip(one.x, _drawable(one.low, log), _drawable(one.high, log), strict=False):
        if not math.isnan(low + high):
            body.append(_path([(across(at), up(low)), (across(at), up(high))], f"whisker s{n}"))
    for at, value in zip(one.x, heights, strict=True) if one.points or len(one.x) == 1 else ():
        if not math.isnan(value):
            said = escape(f"{one.label + ': ' if one.label else ''}{value:.3g} at {at:g}")
            body.append(
                f'<circle class="p{n}" cx="{across(at):.1f}" cy="{up(value):.1f}" r="3.5">'
                f"<title>{said}</title></circle>"
            )
    return "".join(body)


def _drawable(values: Sequence[float | None], log: bool) -> list[float]:
    """The figures, with NaN for those that cannot be drawn."""
    return [
        value if value is not None and math.isfinite(value) and (value > 0 or not log) else math.nan
        for value in values
    ]


def _path(points: Sequence[tuple[float, float]], css: str) -> str:
    if len(points) < 2:
        return ""
    return f'<path class="{css}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def _figure(body: Sequence[str], title: str, legend: Sequence[str], *, mark: str = "k") -> Markup:
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(body)}</svg>'
    )
    named = [
        f'<li class="{mark}{n % _COLOURS}">{escape(label)}</li>' for n, label in enumerate(legend) if label
    ]
    key = f'<ul class="legend">{"".join(named)}</ul>' if len(named) > 1 else ""
    return Markup(f'<div class="plot">{svg}{key}</div>')
