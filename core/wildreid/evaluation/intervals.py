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
"""Under so many individuals a percentile interval is too narrow."""
CHUNK = 2**23


@dataclass(frozen=True)
class Bootstrap:
    """Percentile bootstrap over query individuals, the gallery fixed; one draw serves every figure.

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
        """The interval of the mean of (Q,) values, NaN where a query does not count; None: no estimate."""
        return bounds(self.figures(values), self.confidence)

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
        count = int(self.individuals.max(initial=-1)) + 1
        counted = np.isfinite(values)
        sums = np.bincount(self.individuals, np.where(counted, values, 0.0), minlength=count)
        sizes = np.bincount(self.individuals, counted.astype(float), minlength=count)
        random = np.random.default_rng(self.seed)
        means = np.full(self.resamples, np.nan)
        rows = max(CHUNK // max(count, 1), 1)
        for start in range(0, self.resamples if count else 0, rows):
            stop = min(start + rows, self.resamples)
            drawn = random.multinomial(count, np.full(count, 1 / count), size=stop - start).astype(float)
            total, n = drawn @ sums, drawn @ sizes
            means[start:stop] = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
        return means


def bounds(means: NDArray[np.float64], confidence: float) -> tuple[float, float] | None:
    """The middle share of the resampled figures; None where there is none."""
    means = means[np.isfinite(means)]
    if not len(means):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)
