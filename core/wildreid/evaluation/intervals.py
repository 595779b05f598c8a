"""Intervals that resample individuals, since images of one animal are no independent evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wildreid.artefacts import Combined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

FEW = 30
"""Under so many individuals, in effect, an interval is wide and rough."""
CHUNK = 2**23


@dataclass(frozen=True)
class Bootstrap:
    """Expanded percentile bootstrap over query individuals, the gallery fixed; one draw serves every figure.

    Attributes:
        individuals: (Q,) a number 0, 1, 2 … for each query's individual.
        resamples: how many.
        confidence: of the interval, such as 0.95.
        seed: of the draw.
    """

    individuals: Ints
    resamples: int
    confidence: float
    seed: int

    def interval(self, values: NDArray[np.float64] | Combined) -> tuple[float, float] | None:
        """The interval of the mean of (Q,) values, NaN where a query does not count.

        None where there is no estimate, or a single individual, whose resamples are all alike.
        """
        return bounds(self.figures(values), self.confidence, self.effective(values))

    def effective(self, values: NDArray[np.float64] | Combined) -> float:
        """How many individuals with equally many queries would say as much as those that count here.

        Kish's effective number (Σ n_i)² / Σ n_i², n_i the individual's queries that count: one animal with most
        of the queries decides the mean nearly alone. Of a figure from several means, that of the poorest.

        Source: Kish 1965, "Survey Sampling", section 11.2.
        """
        parts = values.parts if isinstance(values, Combined) else (values,)
        sizes = [self._sums(np.isfinite(part).astype(float)) for part in parts]
        return min(float(size.sum() ** 2 / max((size**2).sum(), 1.0)) for size in sizes)

    def figures(self, values: NDArray[np.float64] | Combined) -> NDArray[np.float64]:
        """(resamples,) the figure in each: the mean of (Q,) values, or what is computed from several."""
        if not isinstance(values, Combined):
            return self.means(values)
        return np.asarray(values.figure(*map(self.means, values.parts)), dtype=float)

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(resamples,) the mean in each, NaN where no drawn query counts.

        Two sets of values over the same individuals are resampled alike, so that the difference of their
        means is paired.
        """
        counted = np.isfinite(values)
        sums, sizes = self._sums(np.where(counted, values, 0.0)), self._sums(counted.astype(float))
        count = len(sums)
        random = np.random.default_rng(self.seed)
        means = np.full(self.resamples, np.nan)
        rows = max(CHUNK // max(count, 1), 1)
        for start in range(0, self.resamples if count else 0, rows):
            stop = min(start + rows, self.resamples)
            drawn = random.multinomial(count, np.full(count, 1 / count), size=stop - start).astype(float)
            total, n = drawn @ sums, drawn @ sizes
            means[start:stop] = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
        return means

    def _sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(individuals,) the sum of each one's values."""
        people = int(self.individuals.max(initial=-1)) + 1
        return np.asarray(np.bincount(self.individuals, values, minlength=people), dtype=np.float64)


def bounds(means: NDArray[np.float64], confidence: float, individuals: float) -> tuple[float, float] | None:
    """The expanded middle share of the resampled figures; None where there is none.

    The percentile interval of n individuals is too narrow: it lacks what Student's t adds to the normal law, and
    the factor n / (n - 1) of the variance. Its tail α/2 becomes Φ(-√(n / (n - 1)) t(1 - α/2, n - 1)).

    Source: Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 5.3 (expanded percentile
    interval); n is Kish's effective number here, which the paper does not treat: see `Bootstrap.effective`.

    Args:
        means: the figure in each resample.
        confidence: such as 0.95.
        individuals: the effective number behind the figure.
    """
    from scipy.special import ndtr, stdtrit

    means = means[np.isfinite(means)]
    if not len(means) or individuals < 1 + 1e-9:
        return None
    tail = ndtr(np.sqrt(individuals / (individuals - 1)) * stdtrit(individuals - 1, (1 - confidence) / 2))
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)


def few(individuals: int, effective: float) -> str:
    """What to know of an interval over so many individuals; empty where they are enough."""
    if effective >= FEW:
        return ""
    ending = "" if individuals == 1 else "s"
    worth = "" if round(effective) == individuals else f" that say as much as {effective:.0f} equal ones"
    return f"{individuals} individual{ending}{worth}, under {FEW}: " + (
        "no interval" if individuals == 1 else "the interval is wide and rough"
    )
