"""From the raw seconds in the JSON to ratios, exponents and verdicts; nothing is taken over ready-made."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """The median of some figures, and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of one figure or more."""
        return cls(statistics.median(values), min(values), max(values))


def ratio(row: Row, other: str, clock: int) -> Spread:
    """Our side against another, pair by pair: their seconds over ours, or ours over theirs for ``time``.

    Args:
        row: as `benchmarks.record.Record.row` leaves it; its first side is ours.
        other: the other side's name.
        clock: 0 for wall, 1 for processor time.
    """
    ours, theirs = next(iter(row["seconds"].values())), row["seconds"][other]
    pairs = [(mine[clock], its[clock]) for mine, its in zip(ours, theirs, strict=True)]
    if row["compare"] == "time":
        return Spread.of([mine / its for mine, its in pairs])
    return Spread.of([its / mine for mine, its in pairs])


def others(row: Row) -> list[str]:
    """The sides that ours stands beside."""
    return list(row.get("seconds", {}))[1:]


def seconds(row: Row, side: str | None = None) -> Spread:
    """Wall seconds of a side; of ours if None."""
    times = row["seconds"]
    return Spread.of([pair[0] for pair in times[side or next(iter(times))]])


def number_of(figure: Any) -> float | None:
    """A figure's number, where it has one."""
    value = figure.get("value") if isinstance(figure, Mapping) else figure
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


@dataclass(frozen=True)
class Verdict:
    """An aim and what became of it.

    Attributes:
        aim: in words.
        found: the figure, in words.
        met: whether the figure meets it.
        within: whether the spread reaches both sides of the aim.
    """

    aim: str
    found: str
    met: bool
    within: bool = False

    @property
    def words(self) -> str:
        """``met``, ``not met``, and whether the spread leaves it open."""
        return ("met" if self.met else "not met") + (", within the spread" if self.within else "")


def verdicts(row: Row) -> list[Verdict]:
    """What became of a row's aims."""
    found = []
    for name, (sign, bound) in row.get("aims", {}).items():
        if name in row.get("seconds", {}):
            spread = ratio(row, name, 0)
            words = f"{'speed of' if row['compare'] == 'speed' else 'time of'} {name}"
            aim, unit = f"{_SIGNS[sign]} {bound:g} × the {words}", " ×"
        elif name == "seconds":
            spread, aim, unit = seconds(row), f"{_SIGNS[sign]} {bound:g} s", " s"
        else:
            number = number_of(row["figures"].get(name))
            if number is None:
                continue
            spread, aim, unit = Spread(number, number, number), f"{name} {_SIGNS[sign]} {bound:g}", ""
        meets = [value <= bound if sign == "<=" else value >= bound for value in vars(spread).values()]
        found.append(Verdict(aim, f"{short(spread.median)}{unit}", meets[0], len(set(meets)) > 1))
    return found


_SIGNS = {"<=": "≤", ">=": "≥"}


@dataclass(frozen=True)
class Growth:
    """How a cost grows with the size of the work: as its power.

    Attributes:
        fitted: the exponent, by least squares through the logarithms of all points.
        last: the slope between the two largest; what is fixed at small sizes hides less in it.
    """

    fitted: float
    last: float


def growth(sizes: Sequence[float], costs: Sequence[float]) -> Growth | None:
    """The exponent of costs in sizes; None with fewer than two sizes or a cost that is nothing."""
    points = sorted(
        (math.log(size), math.log(cost)) for size, cost in zip(sizes, costs, strict=True) if cost > 0
    )
    if len(points) < 2 or len(points) < len(costs):
        return None
    x, y = zip(*points, strict=True)
    last = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return Growth(statistics.linear_regression(x, y).slope, last)


def short(value: float) -> str:
    """Three digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, digits)}f}" if digits >= 0 else f"{round(value, digits):,.0f}"


def duration(value: float) -> str:
    """Seconds as a person writes them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{short(value / size)} {unit}"
    return f"{short(value / 1e-6)} µs"
