"""When a match is believed: a threshold, a calibrated probability, and the verdict that follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Verdict = Literal["known", "new", "undecided", "unreadable"]
SURE = 1e-4
"""A probability of 0 or 1 is never meant: its odds would leave nothing to the others."""


@dataclass(frozen=True)
class Decision:
    """When a match is believed: a threshold and a calibrated probability, both fitted on validation alone.

    Attributes:
        threshold: cosine similarity from which the first individual is taken for known.
        target: the false-accept rate that was asked for.
        method: ``"isotonic"`` or ``"logistic"``; ``"none"`` where scores told right from wrong no better than
            chance in encounters that were held out.
        scores: knots of the calibration, increasing cosine similarity.
        probabilities: the probability at each knot that the first individual is right.
        gallery: (individuals, images) of the gallery it was fitted on; in a larger one more are
            accepted falsely.
        queries: (mated, non-mated) queries it was fitted on.
        simulated: whether the unknowns are for the most part simulated, by taking each query's individual out
            of the gallery.
        protocol: the protocol it was fitted under.
        prior: the share of encounters with new animals that the probabilities are meant for; None: an earlier
            version fitted it, for whatever share validation had.
        burst_scores: knots as `scores`, for the mean score of a burst of several images; empty: none were fitted.
        burst_probabilities: as `probabilities`, for bursts.
        new_below: score under which an animal is taken for a new one, which 1 in 20 of the known queries does not
            reach; None: an earlier version did not fit it.
        accepts: interval (95 %, by individual) of the false-accept rate at the threshold; None: not known.
    """

    threshold: float
    target: float
    method: str
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    gallery: tuple[int, int]
    queries: tuple[int, int]
    simulated: bool
    protocol: str
    prior: float | None = None
    burst_scores: tuple[float, ...] = ()
    burst_probabilities: tuple[float, ...] = ()
    accepts: tuple[float, float] | None = None
    new_below: float | None = None

    def probability(self, scores: Floats, *, burst: bool = False) -> NDArray[np.float64]:
        """The calibrated probability that the first individual is right, for scores of any shape.

        Args:
            scores: cosine similarities; of a burst the mean over its images.
            burst: whether these are scores of bursts of several images.

        Returns:
            NaN where `tells` is not true: then no probability is known.
        """
        import numpy as np

        if not self.tells:
            return np.full(np.shape(scores), np.nan)
        if burst and self.burst_scores:
            return np.interp(scores, self.burst_scores, self.burst_probabilities)
        return np.interp(scores, self.scores, self.probabilities)

    def shares(self, scores: Floats, bursts: NDArray[np.bool_] | None = None) -> NDArray[np.float64] | None:
        """The probability of each candidate and of a new individual, which add up to 1; None: not known.

        The first candidate's is the calibrated one, p. The rest, 1 - p, is shared by the odds
        o(s) = p(s) / (1 - p(s)) of the other candidates, and 1 for a new individual: the evidence at which
        the calibration itself is undecided.

        Args:
            scores: (queries, candidates) similarities, best first, -inf where there is none.
            bursts: (queries,) whether each is a burst of several images, whose scores are means over these;
                None: none is.

        Returns:
            (queries, candidates + 1); the last column is a new individual's.
        """
        import numpy as np

        if not self.tells:
            return None
        known = self.probability(scores)
        if bursts is not None:
            known[bursts] = self.probability(scores[bursts], burst=True)
        known = np.clip(known, SURE, 1 - SURE)
        known[np.isneginf(scores)] = 0
        odds = known / (1 - known)
        rest = np.concatenate([odds[:, 1:], np.ones((len(scores), 1))], axis=1)
        rest *= (1 - known[:, :1]) / rest.sum(axis=1, keepdims=True)
        return np.concatenate([known[:, :1], rest], axis=1)

    def verdict(
        self, score: float, chances: NDArray[np.float64] | None, *, new_below: float | None = None
    ) -> tuple[Verdict, str]:
        """What a similarity of the first individual means, and why it is not certain where it is not.

        Threshold and probability must agree: an animal is known where the first candidate is also more likely
        right than wrong, and new where that is more likely than any candidate.

        Args:
            score: of the first individual.
            chances: a row of what `shares` gave; None where no probability is known.
            new_below: in place of its own.
        """
        below = self.new_below if new_below is None else new_below
        if chances is None:
            return "undecided", "scores tell known animals from new ones no better than chance here"
        if score >= self.threshold:
            if chances[0] >= 0.5:
                return "known", ""
            return "undecided", "its score reaches the threshold, but it is more likely wrong than right"
        if below is not None and score < below:
            if chances[-1] >= chances[:-1].max(initial=0):
                return "new", ""
            return "undecided", "its score is low, but a known animal is more likely than a new one"
        return "undecided", "its score lies between the two thresholds"

    @property
    def tells(self) -> bool:
        """Whether scores told right answers from wrong ones better than chance, so that there are probabilities."""
        return bool(self.scores)

    @property
    def in_words(self) -> str:
        """What a probability means, as it must stand beside one."""
        if not self.tells:
            return "probabilities are not known: scores told right from wrong no better than chance"
        if self.prior is None:
            return "probabilities are meant for as many new animals as validation had"
        return f"probabilities are meant for a stream with new animals in {100 * self.prior:g} % of its encounters"
