"""What is fitted on validation: the curves that make scores probabilities, and the gate of what may count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from wildreid.artefacts import Evidence, Missing, Ranking
from wildreid.evaluation.intervals import Bootstrap
from wildreid.matching.curve import ISOTONIC, LEAST, PairCurve, fit_pairs
from wildreid.matching.sides import Sides, ranking_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats
    from wildreid.data.table import Table
    from wildreid.kinds import Fusion
    from wildreid.matching.candidates import Candidates
    from wildreid.matching.pairs import PairScores
    from wildreid.recipe.settings import LocalMatching

FOLDS = 5
"""Parts of the validation individuals; the gate sees each by curves that were fitted on the others."""
RESAMPLES, CONFIDENCE = 1000, 0.95


@dataclass(frozen=True)
class PairSample:
    """Scores of pairs of validation, of which it is known whether they show one animal.

    Attributes:
        scores: (1 + matchers, N), the embedding's first.
        same: (N,) whether the pair is one animal.
        fold: (N,) which part the pair's query is in.
        encounters: how many encounters the queries are of.
    """

    scores: NDArray[np.float64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]
    encounters: int

    def curves(self, method: str, *, without: int | None = None) -> tuple[PairCurve, ...] | None:
        """One curve a score; None for too few pairs of one animal, or of two.

        Args:
            method: ``auto``, ``logistic`` or ``isotonic``.
            without: the fold that is left out.
        """
        chosen: Literal["logistic", "isotonic"] = "isotonic" if method == "isotonic" else "logistic"
        if method == "auto" and self.encounters >= ISOTONIC:
            chosen = "isotonic"
        kept = self.fold != without if without is not None else np.ones(len(self.same), bool)
        found = [fit_pairs(one[kept], self.same[kept], method=chosen) for one in self.scores]
        return tuple(one for one in found if one is not None) if all(found) else None


@dataclass(frozen=True)
class Gate:
    """Whether something helps on validation.

    Attributes:
        difference: of accuracy@1, with it less without it.
        low: of the interval by individual; None where there is none.
        high: of it.
        n: queries.
        individuals: of them.
    """

    difference: float
    low: float | None
    high: float | None
    n: int
    individuals: int

    @property
    def open(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.low is not None and self.low > 0


def draw_pairs(
    candidates: Candidates[Sides], scores: Sequence[PairScores], settings: LocalMatching, *, seed: int
) -> PairSample:
    """Shortlisted and random pairs of the validation queries; nothing of test is looked at."""
    sides = candidates.sides
    folds = _folds(sides.own)
    found = []
    for query in range(len(sides)):
        valid = np.flatnonzero(sides.valid(query))
        random = np.random.default_rng([seed, query])
        drawn = random.choice(valid, min(settings.random, len(valid)), replace=False)
        values, same = candidates.sample(query, scores, drawn)
        found.append((values, same, np.full(len(same), folds[query])))
    encounters = len(np.unique(sides.encounters[sides.queries]))
    empty = np.empty((1 + len(scores), 0)), np.empty(0, bool), np.empty(0, np.int64)
    parts = [np.concatenate([none, *(one[n] for one in found)], axis=-1) for n, none in enumerate(empty)]
    return PairSample(parts[0], parts[1], parts[2], encounters)


def cross_fitted(
    candidates: Candidates[Sides], sample: PairSample, fusion: Fusion, method: str, *, keep: int
) -> Ranking | Missing:
    """The fused ranking of validation, each individual's queries by curves that its pairs did not make."""
    folds = _folds(candidates.sides.own)
    curves = {fold: sample.curves(method, without=int(fold)) for fold in np.unique(folds)}
    if not curves or not all(curves.values()):
        return Missing(f"there are fewer than {LEAST} validation pairs of one animal, or of two, to fit on")
    return ranking_of(
        candidates.sides,
        lambda query: candidates.fused(query, curves[folds[query]] or (), fusion),
        keep=keep,
    )


def gate(better: Ranking, than: Ranking, table: Table, embeddings: Floats, *, seed: int) -> Gate:
    """The paired difference of accuracy@1 of two rankings of the same queries, by individual."""
    mated = better.mated & than.mated
    rise = np.where(mated, (better.own_rank == 1).astype(float) - (than.own_rank == 1), np.nan)
    individuals = Evidence(than, table, embeddings).individuals
    bounds = Bootstrap(individuals, RESAMPLES, CONFIDENCE, seed).interval(rise)
    low, high = bounds or (None, None)
    difference = float(np.nanmean(rise)) if mated.any() else 0.0
    return Gate(difference, low, high, int(mated.sum()), len(np.unique(individuals[mated])))


def _folds(own: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q,) a part for each query, all of an individual's in one."""
    return np.where(own >= 0, own, 0) % FOLDS
