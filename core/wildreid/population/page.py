"""The page of a population: numbers, histories, encounters along time, effort."""

from __future__ import annotations

import math
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.page import render, timeline
from wildreid.page.plots import Series, line

if TYPE_CHECKING:
    from wildreid.population.first_numbers import Figure, Numbers
    from wildreid.population.survey import Survey

TEMPLATE = Path(__file__).with_name("population.html")
SHOWN = 200
"""Individuals that the page lists; the export has them all."""


def population_page(survey: Survey, numbers: Numbers, *, stamp: str = "") -> str:
    """One HTML page without a map; it tells no more of places than the survey does."""
    met = survey.encounters
    low, high = met["first"].min(), met["last"].max()
    occasions = [str(k) for k in survey.histories]
    most = max(1, int(survey.histories.to_numpy().max()))
    longest = max(1e-9, float(survey.effort.to_numpy().max()))
    people: Any = survey.individuals.itertuples()
    by_code = dict(list(met.groupby("code")))
    names = dict(zip(survey.individuals["code"], survey.individuals["individual"], strict=True))
    return render(
        TEMPLATE,
        title=f"How many are there? {survey.name}",
        stamp=stamp,
        sections=[
            ("numbers", "Numbers"), ("histories", "Histories"), ("timelines", "Timelines"), ("effort", "Effort"),
            ("counts", "Counts"),
        ],
        made=f"wildreid {version('wildreid')}",
        survey=survey,
        numbers=numbers,
        figures=[row_of(one) for one in numbers.figures],
        alive=[[season, count] for season, count in numbers.alive.items()],
        discovery=_discovery(numbers),
        occasions=occasions,
        shown=SHOWN,
        histories=[
            (names[code], [{"words": int(n) or "·", "tint": n / most} for n in seen])
            for code, seen in list(zip(survey.histories.index, survey.histories.to_numpy(), strict=True))[:SHOWN]
        ],
        people=[
            {
                "name": one.individual, "images": int(by_code[one.code]["photos"].sum()),
                "encounters": one.encounters,
                "first": f"{one.first:%Y-%m-%d}", "last": f"{one.last:%Y-%m-%d}", "undated": 0,
                "dots": timeline.dots(
                    zip(by_code[one.code]["first"], by_code[one.code]["photos"], strict=True), low, high
                ),
            }
            for one in people
        ],
        ticks=timeline.ticks(low, high),
        width=timeline.WIDTH,
        effort=[
            (station, [{"words": f"{days:.3g}", "tint": days / longest} for days in own])
            for station, own in zip(survey.effort.index, survey.effort.to_numpy(), strict=True)
        ],
        counts=[
            ("photos in the gallery", survey.counts["came in"]),
            ("taken", survey.counts["written"]),
            *((f"left out: {reason}", count) for reason, count in survey.counts["left out"].items()),
        ],
    )  # fmt: skip


def animals(value: float | None) -> str:
    """A number of animals with one decimal where it has one; a sign for no limit."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "no limit"
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def limits(ends: tuple[float, float] | None) -> str:
    """``86.4 to 125.5``; a dash for none."""
    return "–" if ends is None else f"{animals(ends[0])} to {animals(ends[1])}"


def row_of(one: Figure) -> list[str]:
    """A number of animals as a row: its name, value, interval and band, in words."""
    if one.estimate is None:
        return [one.name, "–", one.reason, "–"]
    exact = one.estimate.low == one.estimate.high
    return [
        one.name,
        animals(one.estimate.value),
        "" if exact else limits((one.estimate.low, one.estimate.high)),
        limits(one.band),
    ]


def _discovery(numbers: Numbers) -> Any:
    x = list(range(1, len(numbers.discovery) + 1))
    lines = [Series("as they were named", x, [float(one) for one in numbers.discovery], points=True)]
    if numbers.discovery_band is not None:
        for end, words in ((0, "fewest, with wrong identities"), (1, "most, with wrong identities")):
            lines.append(Series(words, x, [pair[end] for pair in numbers.discovery_band]))
    top = max([*numbers.discovery, *(pair[1] for pair in numbers.discovery_band or ())], default=1)
    return line(
        lines,
        title="individuals seen so far",
        x="occasion",
        y="individuals",
        y_range=(0, max(1.0, 1.08 * top)),
    )
