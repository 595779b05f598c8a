"""The rule by which scores become an answer: a known individual, a new one, or undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from wildreid.artefacts import Decision

if TYPE_CHECKING:
    from wildreid.artefacts import Floats

Verdict = Literal["known", "new", "undecided", "unreadable"]
# a probability of 0 or 1 is never meant: its odds would leave nothing to the others
SURE = 1e-4


@dataclass(frozen=True)
class Rule:
    """Two thresholds and a calibrated probability.

    Attributes:
        decision: from its threshold on, the first individual is believed; fitted for a share of unknowns
            that are taken for known ones.
        new_below: similarity under which the animal is taken for a new one; at most ``decision.threshold``.
        known_called_new: the share of known animals that this was fitted to take for new ones.
        same_from: similarity from which two groups of encounters are more likely one animal than two; None
            where there was nothing to learn it from.
        source: what it was fitted on, in words.
    """

    decision: Decision
    new_below: float
    known_called_new: float
    same_from: float | None = None
    source: str = ""

    def verdict(self, score: float, chances: NDArray[np.float64] | None) -> tuple[Verdict, str]:
        """What a similarity of the first individual means, and why it is not certain where it is not.

        Threshold and probability must agree: an animal is known where the first candidate is also more likely
        right than wrong, and new where that is more likely than any candidate.

        Args:
            score: of the first individual.
            chances: a row of what `probabilities` gave; None where no probability is known.
        """
        if chances is None:
            return (
                "undecided",
                "on this gallery scores tell known animals from new ones no better than chance",
            )
        if score >= self.decision.threshold:
            if chances[0] >= 0.5:
                return "known", ""
            return "undecided", "its score reaches the threshold, but it is more likely wrong than right"
        if score < self.new_below:
            if chances[-1] >= chances[:-1].max(initial=0):
                return "new", ""
            return "undecided", "its score is low, but a known animal is more likely than a new one"
        return "undecided", "its score lies between the two thresholds"

    def probabilities(
        self, scores: Floats, bursts: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64] | None:
        """The probability of each candidate and of a new individual, which add up to 1.

        The first candidate's is the calibrated one, p. The rest, 1 - p, is shared by the odds
        o(s) = p(s) / (1 - p(s)) of the other candidates, and 1 for a new individual: the evidence at which
        the calibration itself is undecided.

        Args:
            scores: (queries, candidates) similarities, best first, -inf where there is none.
            bursts: (queries,) whether each is a burst of several images, whose scores are means over these;
                None: none is.

        Returns:
            (queries, candidates + 1); the last column is a new individual's. None where scores tell nothing.
        """
        if not self.decision.tells:
            return None
        known = self.decision.probability(scores)
        if bursts is not None:
            known[bursts] = self.decision.probability(scores[bursts], burst=True)
        known = np.clip(known, SURE, 1 - SURE)
        known[np.isneginf(scores)] = 0
        odds = known / (1 - known)
        rest = np.concatenate([odds[:, 1:], np.ones((len(scores), 1))], axis=1)
        rest *= (1 - known[:, :1]) / rest.sum(axis=1, keepdims=True)
        return np.concatenate([known[:, :1], rest], axis=1)

    def cut(self) -> float:
        """Where `discover` stops to merge: ``same_from``, else where p is one half, else the threshold."""
        if self.same_from is not None:
            return self.same_from
        if not self.decision.tells:
            return self.decision.threshold
        grid = np.linspace(-1, 1, 20_001, dtype=np.float32)
        likely = self.decision.probability(grid) >= 0.5
        return float(grid[np.argmax(likely)]) if likely.any() else 1.0

    def outgrown(self, individuals: int, images: int) -> bool:
        """Whether the gallery is twice as large as the one it was fitted on: false accepts grow with it."""
        known_individuals, known_images = self.decision.gallery
        return individuals >= 2 * known_individuals or images >= 2 * known_images

    def thinned(self, individuals: int, images: int) -> bool:
        """Whether there are under two thirds as many images of an individual as in the gallery it was fitted on.

        The best of fewer images is less alike, so known animals are called new more often than asked.
        """
        known_individuals, known_images = self.decision.gallery
        return 3 * images * known_individuals < 2 * known_images * individuals
