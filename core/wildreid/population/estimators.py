"""First numbers without R: how many there are, by closed models of marking, and what wrong identities do to them.

Formulas: Chapman (1951) with Seber's variance (1970); Schnabel (1938) in Chapman's form (1952), with the limits of
a Poisson number of recaptures; the lognormal interval of Burnham et al. (1987) for those that were never seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A number of animals with its 95 % interval.

    Attributes:
        value: the estimate.
        low: lower limit.
        high: upper limit; infinite where nothing was recaptured.
        variance: of the estimate; None where only limits are known.
    """

    value: float
    low: float
    high: float
    variance: float | None = None


@dataclass(frozen=True)
class Share:
    """A measured share with its interval.

    Attributes:
        value: the share.
        low: lower limit.
        high: upper limit.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, count: int) -> Share:
        """A share of `count` with Wilson's 95 % interval; 0 to 1 where nothing was counted."""
        if count <= 0:
            return cls(value, 0.0, 1.0)
        middle = (value + Z**2 / (2 * count)) / (1 + Z**2 / count)
        half = Z / (1 + Z**2 / count) * math.sqrt(value * (1 - value) / count + Z**2 / (4 * count**2))
        return cls(value, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True)
class Errors:
    """How often identities are wrong.

    Attributes:
        missed: of encounters with an animal that was met before, the share that was taken for a new one (α).
        merged: of encounters with a new animal, the share that was taken for one that was met before (γ).
        source: where that was measured, in words.
    """

    missed: Share
    merged: Share
    source: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether a known animal is as seldom taken for a known one as a new one is: nothing can be corrected."""
        return self.missed.value + self.merged.value >= 1


@dataclass(frozen=True)
class Marking:
    """What marking models count, occasion by occasion.

    Attributes:
        caught: (K,) individuals met in each.
        again: (K,) of these, those that had been met in an earlier one.
        marked: (K,) individuals met before each.
        doubt: variance that a correction adds to the sum of `again`; 0 for what was counted.
    """

    caught: NDArray[np.float64]
    again: NDArray[np.float64]
    marked: NDArray[np.float64]
    doubt: float = 0.0

    @classmethod
    def of(cls, histories: NDArray[np.integer]) -> Marking:
        """Count (individuals, occasions) histories."""
        seen = np.asarray(histories) > 0
        before = np.asarray(np.cumsum(seen, axis=1) - seen > 0)
        return cls(
            seen.sum(axis=0).astype(float),
            (seen & before).sum(axis=0).astype(float),
            before.sum(axis=0).astype(float),
        )

    @property
    def individuals(self) -> float:
        """How many were met in all."""
        return float((self.caught - self.again).sum())

    def corrected(self, missed: float, merged: float) -> Marking:
        """What would have been counted had nobody been mistaken.

        Of `caught` encounters a share α of those with marked animals is taken for new, a share γ of those with
        new ones for marked: E[again] = (1 − α) m + γ (caught − m). It is solved for m, within what is possible,
        and the marked are counted again. Which of them were mistaken is chance: that adds the `doubt`
        Σ [m α (1 − α) + (caught − m) γ (1 − γ)] / (1 − α − γ)².
        """
        again, marked, there, doubt = np.zeros_like(self.again), np.zeros_like(self.marked), 0.0, 0.0
        for k, (caught, seen) in enumerate(zip(self.caught, self.again, strict=True)):
            marked[k] = there
            share = 1 - missed - merged
            solved = (seen - merged * caught) / share if share > 0 else caught
            again[k] = min(max(solved, 0.0), caught, there)
            if share > 0 and there > 0:
                wrong = again[k] * missed * (1 - missed) + (caught - again[k]) * merged * (1 - merged)
                doubt += wrong / share**2
            there += caught - again[k]
        return Marking(self.caught, again, marked, doubt)


def two_samples(histories: NDArray[np.integer]) -> NDArray[np.int64]:
    """(individuals, 2) whether each was met in the first and in the second half of the occasions."""
    seen = np.asarray(histories) > 0
    middle = (seen.shape[1] + 1) // 2
    return np.stack([seen[:, :middle].any(axis=1), seen[:, middle:].any(axis=1)], axis=1).astype(np.int64)


def chapman(first: float, second: float, both: float, *, doubt: float = 0.0) -> Estimate:
    """Animals from two samples: (n1 + 1)(n2 + 1)/(m + 1) − 1 (Chapman 1951), variance of Seber (1970).

    Args:
        first: n1, met in the first.
        second: n2, met in the second.
        both: m, met in both.
        doubt: variance of m beside that of the sampling.
    """
    value = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    variance += ((value + 1) / (both + 1)) ** 2 * doubt
    known = first + second - both
    return Estimate(value, *_beyond(value, known, variance), variance)


def schnabel(marking: Marking) -> Estimate | None:
    """Animals from several samples: Σ C M / (Σ R + 1) (Chapman 1952); None where there is one sample alone.

    Limits: those of a Poisson number of recaptures R, never below the individuals that were met. A corrected R
    is known as well as a Poisson number with the same relative variance, R² / (R + doubt).
    """
    from scipy.stats import chi2

    exposed, again = float((marking.caught * marking.marked).sum()), float(marking.again.sum())
    if exposed == 0:
        return None
    scale = again / (again + marking.doubt) if again > 0 else 1.0
    fewest = chi2.ppf(0.025, 2 * again * scale) / 2 / scale if again > 0 else 0.0
    most = chi2.ppf(0.975, 2 * (again * scale + 1)) / 2 / scale
    known = marking.individuals
    value = exposed / (again + 1)
    high = exposed / fewest if fewest > 0 else math.inf
    return Estimate(max(value, known), max(exposed / most, known), max(high, known))


def alive(seasons: Sequence[int], seen: NDArray[np.bool_]) -> dict[int, int]:
    """Minimum number alive in each season: those met in it, or both before and after (Krebs 1966).

    Args:
        seasons: (K,) the season of each column, in order.
        seen: (individuals, K) whether each was met.
    """
    order = sorted(set(seasons))
    met = np.stack([seen[:, np.asarray(seasons) == season].any(axis=1) for season in order], axis=1)
    first_to_now = np.cumsum(met, axis=1) > 0
    now_to_last = np.cumsum(met[:, ::-1], axis=1)[:, ::-1] > 0
    return dict(zip(order, (first_to_now & now_to_last).sum(axis=0).tolist(), strict=True))


def _beyond(value: float, known: float, variance: float) -> tuple[float, float]:
    """Lognormal limits of the animals that were never met (Burnham et al. 1987), above those that were."""
    unseen = value - known
    if unseen <= 0 or variance <= 0:
        return value, value
    spread = math.exp(Z * math.sqrt(math.log(1 + variance / unseen**2)))
    return known + unseen / spread, known + unseen * spread
