"""Brier score and expected calibration error of the fitted probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class Calibration(Metric):
    """How far the calibrated probability that the first individual is right can be believed.

    ``brier`` is its mean squared error over all queries, the non-mated ones counting as wrong; ``ece`` the
    mean distance between probability and share right in bins of equal mass. Smaller is better for both.
    """

    name = "calibration"
    bins: int = Field(15, ge=2, description="bins of the expected calibration error")

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a query for Brier."""
        import numpy as np

        ranking = evidence.ranking
        if evidence.decision is None or not len(ranking.queries):
            reason = "there is no query" if evidence.decision else "no calibration was fitted"
            return dict.fromkeys(("brier", "ece"), Missing(reason))
        if not evidence.decision.tells:
            return dict.fromkeys(("brier", "ece"), Missing(evidence.decision.in_words))
        probability, right, n = evidence.reliability(self.bins)
        return {
            "brier": (evidence.decision.probability(ranking.first_score) - (ranking.own_rank == 1)) ** 2,
            "ece": float(np.average(np.abs(probability - right), weights=n)),
        }
