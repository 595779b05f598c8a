"""The rule by which scores become an answer: a known individual, a new one, or undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wildreid.artefacts import Decision, Verdict

if TYPE_CHECKING:
    from wildreid.artefacts import Floats


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
        """See `Decision.verdict`."""
        return self.decision.verdict(score, chances, new_below=self.new_below)

    def probabilities(
        self, scores: Floats, bursts: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64] | None:
        """See `Decision.shares`."""
        return self.decision.shares(scores, bursts)

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
