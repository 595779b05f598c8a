"""How many there are: naive count, Chapman, Schnabel, each with its interval and what wrong identities do to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.population.estimators import Errors, Estimate, Marking, alive, chapman, schnabel, two_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.population.survey import Survey

FEW = 10
"""Recaptures below which an estimate says little."""
LONG = 365
"""Days beyond which hardly any population is closed."""


@dataclass(frozen=True)
class Figure:
    """One number of animals.

    Attributes:
        name: what it is.
        estimate: with its interval; None where it cannot be made.
        reason: why not.
        band: limits that also hold the errors of identity; None where nobody measured these.
        corrected: the estimate at the measured errors.
    """

    name: str
    estimate: Estimate | None
    reason: str = ""
    band: tuple[float, float] | None = None
    corrected: float | None = None


@dataclass(frozen=True)
class Numbers:
    """What a survey says of a population.

    Attributes:
        figures: naive count, Chapman, Schnabel.
        discovery: (K,) individuals met up to each occasion.
        discovery_band: (K, 2) lowest and highest with the errors of identity; None where nobody measured them.
        alive: minimum number alive by season.
        recaptures: occasions on which an individual was met again.
        errors: how often identities are wrong; None where nobody measured it.
        cautions: when not to believe it, in plain sentences.
    """

    figures: tuple[Figure, ...]
    discovery: tuple[int, ...]
    discovery_band: tuple[tuple[float, float], ...] | None
    alive: dict[str, int]
    recaptures: int
    errors: Errors | None
    cautions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data; what is infinite or unknown is null."""
        return {
            "format": 1,
            "figures": [
                {
                    "name": one.name,
                    "value": one.estimate and _finite(one.estimate.value),
                    "low": one.estimate and _finite(one.estimate.low),
                    "high": one.estimate and _finite(one.estimate.high),
                    "reason": one.reason,
                    "band": one.band and [_finite(end) for end in one.band],
                    "corrected": None if one.corrected is None else _finite(one.corrected),
                }
                for one in self.figures
            ],
            "discovery": list(self.discovery),
            "discovery_band": self.discovery_band and [list(pair) for pair in self.discovery_band],
            "minimum_number_alive": self.alive,
            "recaptures": self.recaptures,
            "errors": None
            if self.errors is None
            else {
                "missed_matches": vars(self.errors.missed),
                "false_merges": vars(self.errors.merged),
                "source": self.errors.source,
            },
            "cautions": list(self.cautions),
        }


def first_numbers(survey: Survey, errors: Errors | None, *, season: str = "year") -> Numbers:
    """Count, estimate, and say what wrong identities would do.

    Chapman compares the first half of the occasions with the second. The bands hold the interval at each end
    of the measured shares: more missed matches make fewer animals, more false merges make more.

    Args:
        survey: who was met when.
        errors: of identities; None: nobody measured them.
        season: ``year``, ``quarter`` or ``month``, for the minimum number alive.
    """
    histories = survey.histories.to_numpy()
    marking, halves = Marking.of(histories), Marking.of(two_samples(histories))
    count = int(marking.individuals)
    several = survey.occasions.count > 1
    why = "" if several else "there is one occasion, so no animal can be seen again"
    figures = (
        _figure("individuals seen", marking, _count, errors),
        _figure("Chapman, first and second half", halves, chapman_of, errors) if several
        else Figure("Chapman, first and second half", None, why),
        _figure("Schnabel, all occasions", marking, schnabel, errors) if several
        else Figure("Schnabel, all occasions", None, why),
    )  # fmt: skip
    found = np.cumsum(marking.caught - marking.again)
    band = None
    if errors is not None and not errors.hopeless:
        curves = [np.cumsum(one.caught - one.again) for one in _corners(marking, errors)]
        band = tuple(zip(np.min(curves, axis=0).tolist(), np.max(curves, axis=0).tolist(), strict=True))
    recaptures = int(marking.again.sum())
    return Numbers(
        figures,
        tuple(int(one) for one in found),
        band,
        _alive(survey, season),
        recaptures,
        errors,
        _cautions(survey, count, recaptures, errors),
    )


def _count(marking: Marking) -> Estimate:
    return Estimate(marking.individuals, marking.individuals, marking.individuals)


def chapman_of(halves: Marking) -> Estimate:
    """`chapman` of two samples; see `two_samples`."""
    return chapman(
        float(halves.caught[0]), float(halves.caught[1]), float(halves.again[1]), doubt=halves.doubt
    )


def _figure(
    name: str, marking: Marking, estimator: Callable[[Marking], Estimate | None], errors: Errors | None
) -> Figure:
    estimate = estimator(marking)
    if estimate is None:
        return Figure(name, None, "no animal was seen before the last occasion")
    if errors is None or errors.hopeless:
        return Figure(name, estimate)
    middle = estimator(marking.corrected(errors.missed.value, errors.merged.value))
    band = band_of(marking, estimator, errors)
    return Figure(name, estimate, band=band, corrected=None if middle is None else middle.value)


def band_of(
    marking: Marking, estimator: Callable[[Marking], Estimate | None], errors: Errors
) -> tuple[float, float] | None:
    """The lowest and the highest limit of an estimate at the ends of the measured shares of errors."""
    found = [one for corner in _corners(marking, errors) if (one := estimator(corner)) is not None]
    return (min(one.low for one in found), max(one.high for one in found)) if found else None


def _corners(marking: Marking, errors: Errors) -> list[Marking]:
    return [
        marking.corrected(missed, merged)
        for missed in (errors.missed.low, errors.missed.high)
        for merged in (errors.merged.low, errors.merged.high)
    ]


def _alive(survey: Survey, season: str) -> dict[str, int]:
    """By the season in which each encounter began."""
    met = survey.encounters
    label = _season(met["first"], season)
    order = {name: n for n, name in enumerate(sorted(set(label)))}
    seen: NDArray[np.bool_] = pd.crosstab(met["code"], label.map(order)).to_numpy() > 0
    numbers = alive(range(len(order)), seen)
    return {name: numbers[n] for name, n in order.items()}


def _season(when: pd.Series[pd.Timestamp], season: str) -> pd.Series[str]:
    if season == "quarter":
        return when.dt.year.astype(str) + " Q" + when.dt.quarter.astype(str)
    return when.dt.strftime({"year": "%Y", "month": "%Y-%m"}[season])


def _cautions(survey: Survey, count: int, recaptures: int, errors: Errors | None) -> tuple[str, ...]:
    """When not to believe the numbers."""
    said = []
    if survey.occasions.count == 1:
        said.append("There is one occasion: no animal can be seen again, so nothing is estimated.")
    elif recaptures < FEW:
        said.append(
            f"Only {recaptures} {'encounter was' if recaptures == 1 else 'encounters were'} with an animal known "
            f"from an earlier occasion; below {FEW} an estimate says little."
        )
    if survey.identities:
        machine = float((survey.photos["method"] == "machine").mean())
        said.append(
            f"{100 * machine:.0f} % of the photos were named by a machine alone. Matches that it misses count as "
            "animals that do not exist, so the numbers are too large; look at the band."
        )
    if errors is None:
        said.append(
            "Nobody measured how often identities are wrong, so there is no band: believe the numbers less."
        )
    elif errors.hopeless:
        said.append(
            "A known animal is taken for a known one no more often than a new one is: with such identities the "
            "numbers say nothing, and no band can be given."
        )
    days = survey.occasions.days * survey.occasions.count
    if days > LONG:
        said.append(
            f"The survey lasts {days} days. The models take nobody to be born, to die, to come or to go in it."
        )
    people = survey.individuals["encounters"]
    if count and float((people == 1).mean()) > 0.5:
        said.append("More than half of the individuals were seen once: many others may never have been seen.")
    said.append(
        "Both models assume that every animal is as easy to see as any other; where that is not so, N is larger."
    )
    return tuple(said)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
