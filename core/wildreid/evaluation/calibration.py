"""From scores of known and unknown queries to a probability under a stated prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints

UNKNOWN = 30
"""All simulated unknowns together count as so many real ones."""
ISOTONIC = 200
"""Encounters from which on the calibration is isotonic; below it a logistic curve overfits less."""

FOLDS = 5
"""Parts of the encounters, each of which is held out once to see whether scores tell anything."""
DOUBT = 10
"""Encounters as whose word the logistic curve counts in each step of the isotonic one."""


@dataclass(frozen=True)
class Sample:
    """Scores that a calibration is fitted on, of images or of bursts.

    Attributes:
        known: (M,) best score of each mated query.
        right: (M,) whether that is its own individual.
        known_encounters: (M,) a number for its encounter.
        real: (U,) best score of each non-mated query.
        real_encounters: (U,) a number for its encounter.
        simulated: (S,) best score of a mated query whose own individual is taken out of the gallery.
        simulated_encounters: (S,) a number for its encounter.
    """

    known: NDArray[np.float64]
    right: NDArray[np.bool_]
    known_encounters: Ints
    real: NDArray[np.float64]
    real_encounters: Ints
    simulated: NDArray[np.float64]
    simulated_encounters: Ints

    @classmethod
    def of(
        cls,
        first: Floats,
        right: NDArray[np.bool_],
        impostor: Floats,
        mated: NDArray[np.bool_],
        encounters: Ints,
    ) -> Sample:
        """From (Q,) best scores, whether they are right, best scores of another individual, and encounters."""
        best, other = np.asarray(first, np.float64), np.asarray(impostor, np.float64)
        there = np.isfinite(best)
        others = mated & np.isfinite(other)
        return cls(
            best[mated & there], right[mated & there], encounters[mated & there],
            best[~mated & there], encounters[~mated & there],
            other[others], encounters[others],
        )  # fmt: skip

    @property
    def unknowns(self) -> int:
        """Unknown queries, simulated ones among them."""
        return len(self.real) + len(self.simulated)

    @property
    def encounters(self) -> int:
        """Encounters of known and of unknown animals; a simulated one is not counted again."""
        return len(np.unique(self.known_encounters)) + len(np.unique(self.real_encounters))

    def unknown(self, *, by_encounter: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores of all unknown queries and their weights, which add up to one.

        The simulated ones together weigh as `UNKNOWN` queries beside the real ones. Within each of the two,
        queries weigh alike, or encounters do.
        """
        real = (
            len(self.real) / (len(self.real) + UNKNOWN * bool(len(self.simulated))) if len(self.real) else 0.0
        )
        weights = [
            share * (_alike(whose) if by_encounter else np.full(len(whose), 1 / max(len(whose), 1)))
            for share, whose in ((real, self.real_encounters), (1 - real, self.simulated_encounters))
        ]
        return np.concatenate([self.real, self.simulated]), np.concatenate(weights)


@dataclass(frozen=True)
class Curve:
    """Knots of a calibration: increasing scores, and the probability at each."""

    method: str
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    @classmethod
    def none(cls) -> Curve:
        """No knots: nothing could be fitted, or it told nothing."""
        return cls("none", (), ())


def fit_curve(sample: Sample, prior: float) -> Curve:
    """The probability that the first individual is right, in a stream with this share of new animals.

    Mated queries weigh 1 - prior together and unknown ones prior, whatever their numbers: so the probability
    at a score s is (1 - prior) f(s, right) / ((1 - prior) f(s | known) + prior f(s | unknown)). It rises with the
    score: isotonic regression where there are enough encounters, else Platt's logistic curve with his smoothed
    targets. Weights are scaled to add up to the number of encounters, which is what these have learned from.

    A curve that tells nothing (see `tells`) is none: a probability that is the same for all scores, or wrong in the
    wrong places, must not stand beside an answer.

    Source: Platt 1999, "Probabilistic outputs for support vector machines"; weighting to a prior: Elkan 2001,
    "The foundations of cost-sensitive learning", theorem 2.
    """
    unknown, weights = sample.unknown(by_encounter=True)
    scores = np.concatenate([sample.known, unknown])
    truths = np.concatenate([sample.right, np.zeros(len(unknown), bool)])
    weights = np.concatenate([(1 - prior) * _alike(sample.known_encounters), prior * weights])
    weights *= sample.encounters
    whose = np.concatenate([sample.known_encounters, sample.real_encounters, sample.simulated_encounters])
    if not tells(scores, truths, weights, whose):
        return Curve.none()
    isotonic = sample.encounters >= ISOTONIC and min(truths.sum(), (~truths).sum()) >= UNKNOWN
    knots, probabilities = (_isotonic if isotonic else _logistic)(scores, truths, weights)
    method = "isotonic" if isotonic else "logistic"
    return Curve(method, tuple(knots.tolist()), tuple(probabilities.tolist()))


def tells(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64], whose: Ints
) -> bool:
    """Whether scores tell right from wrong in encounters that were held out.

    In `FOLDS` folds by encounter, the logistic curve of the others must have a smaller squared error (Brier 1950)
    than their share of right answers has: by more than one standard error over encounters.
    """
    fold = np.unique(whose, return_inverse=True)[1] % FOLDS
    gain = np.zeros(len(scores))
    for one in range(FOLDS):
        out = fold == one
        if not out.any() or not truths[~out].any() or truths[~out].all():
            continue
        curve = np.interp(scores[out], *_logistic(scores[~out], truths[~out], weights[~out]))
        share = np.average(truths[~out], weights=weights[~out])
        gain[out] = (share - truths[out]) ** 2 - (curve - truths[out]) ** 2
    of_encounter = np.bincount(np.unique(whose, return_inverse=True)[1], gain * weights)
    spread = of_encounter.std(ddof=1) * np.sqrt(len(of_encounter)) if len(of_encounter) > 1 else np.inf
    return bool(of_encounter.sum() > spread)


def _alike(whose: Ints) -> NDArray[np.float64]:
    """Weights by which each encounter counts alike, one in all."""
    places = np.unique(whose, return_inverse=True)[1]
    sizes = np.bincount(places)
    return 1 / sizes[places] / max(len(sizes), 1)


def _isotonic(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Isotonic regression, each of its steps drawn towards the logistic curve as by `DOUBT` encounters.

    A step that few encounters made is otherwise taken at its word: the highest says one, whoever it is from.
    """
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression().fit_transform(scores, truths.astype(float), sample_weight=weights)
    step = np.unique(steps, return_inverse=True)[1]
    heavy = np.bincount(step, weights)[step]
    smooth = np.interp(scores, *_logistic(scores, truths, weights))
    drawn = (heavy * steps + DOUBT * smooth) / (heavy + DOUBT)
    never = 1 / (weights.sum() + 2)  # so many encounters do not show that a mistake cannot be
    fitted = IsotonicRegression(y_min=never, y_max=1 - never).fit(scores, drawn, sample_weight=weights)
    return np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)


def _logistic(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Platt's curve, drawn at 201 knots; flat where the fitted slope is not upward."""
    from sklearn.linear_model import LogisticRegression

    yes, no = weights[truths].sum(), weights[~truths].sum()
    target = np.where(truths, (yes + 1) / (yes + 2), 1 / (no + 2))
    center, scale = scores.mean(), scores.std() or 1.0
    fitted = LogisticRegression(C=1e6).fit(
        np.tile((scores - center) / scale, 2)[:, None],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([weights * target, weights * (1 - target)]),
    )
    knots = np.linspace(-1, 1, 201)
    slope = max(float(fitted.coef_[0, 0]), 0.0)
    if slope == 0:
        return knots, np.full(len(knots), (yes + 1) / (yes + no + 2))
    logit = slope * (knots - center) / scale + float(fitted.intercept_[0])
    return knots, 1 / (1 + np.exp(-np.clip(logit, -50, 50)))
