"""From a score of two images to the probability that they show one animal, fitted on pairs of validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

ISOTONIC = 200
"""Encounters from which on ``auto`` is isotonic."""
LEAST = 10
"""With fewer pairs of one animal, or of two, nothing is fitted."""
SMOOTH = 0.05
"""The share of the logistic curve in an isotonic one, so that no two scores are tied by a step."""


@dataclass(frozen=True)
class PairCurve:
    """A rising curve from a score to a probability.

    Attributes:
        slope: of the logistic curve, 0 at least.
        intercept: of it.
        scores: knots of an isotonic curve; none for a logistic one.
        probabilities: at the knots.
    """

    slope: float
    intercept: float
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def __call__(self, scores: Doubles) -> Doubles:
        """The probability at each score, of any shape."""
        smooth = 1 / (1 + np.exp(-np.clip(self.slope * scores + self.intercept, -40, 40)))
        if not self.scores:
            return np.asarray(smooth)
        return (1 - SMOOTH) * np.interp(scores, self.scores, self.probabilities) + SMOOTH * smooth


def fit_pairs(
    scores: Doubles, same: NDArray[np.bool_], *, method: Literal["logistic", "isotonic"]
) -> PairCurve | None:
    """Fit on pairs of images of which it is known whether they show one animal; None for too few of either.

    Logistic regression with Platt's smoothed targets; a curve that would fall is flat, so no score weighs less than
    nothing. An isotonic curve takes the logistic one's word to `SMOOTH`.

    Args:
        scores: (N,) of each pair.
        same: (N,) whether it is one animal.
        method: which curve.

    Source: Platt 1999, "Probabilistic outputs for support vector machines"; Zadrozny and Elkan 2002, "Transforming
    classifier scores into accurate multiclass probability estimates".
    """
    yes, no = int(same.sum()), int((~same).sum())
    if min(yes, no) < LEAST:
        return None
    smooth = _logistic(scores, same, yes, no)
    if method == "logistic":
        return smooth
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0, y_max=1).fit(scores, same.astype(float))
    knots = fitted.X_thresholds_.tolist(), fitted.y_thresholds_.tolist()
    return PairCurve(smooth.slope, smooth.intercept, *map(tuple, knots))


def _logistic(scores: Doubles, same: NDArray[np.bool_], yes: int, no: int) -> PairCurve:
    from sklearn.linear_model import LogisticRegression

    target = np.where(same, (yes + 1) / (yes + 2), 1 / (no + 2))
    center, scale = float(scores.mean()), float(scores.std()) or 1.0
    fitted = LogisticRegression(C=1e6).fit(
        np.tile((scores - center) / scale, 2)[:, None],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope = max(float(fitted.coef_[0, 0]), 0.0) / scale
    if slope == 0:
        return PairCurve(0.0, float(np.log((yes + 1) / (no + 1))))
    return PairCurve(slope, float(fitted.intercept_[0]) - slope * center)
