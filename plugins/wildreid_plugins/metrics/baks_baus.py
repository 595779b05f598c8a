"""BAKS and BAUS: accuracy on known and on unknown individuals, each individual counting alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.artefacts import Combined, Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class BaksBaus(Metric):
    """Balanced accuracy on known and unknown individuals at the fitted threshold.

    ``baks``: mean over individuals of the share of mated queries that are believed and right ("new" is
    wrong). ``baus``: mean over individuals of the share of non-mated queries called new. ``baks-baus``: the
    square root of their product (the measure of AnimalCLEF).
    """

    name = "baks-baus"

    def measure(self, *, evidence: Evidence) -> dict[str, NDArray[np.float64] | Combined | Missing]:
        """One value an individual for each of the first two."""
        import numpy as np

        ranking = evidence.ranking
        if evidence.decision is None:
            return dict.fromkeys(("baks", "baus", "baks-baus"), Missing("no threshold was fitted"))
        believed = ranking.first_score >= evidence.decision.threshold
        baks = evidence.by_individual(believed & (ranking.own_rank == 1), ranking.mated)
        baus = evidence.by_individual(~believed, ~ranking.mated)
        both: Combined | Missing = Missing("needs both mated and non-mated queries")
        if np.isfinite(baks).any() and np.isfinite(baus).any():
            both = Combined((baks, baus), lambda known, unknown: np.sqrt(known * unknown))
        return {"baks": baks, "baus": baus, "baks-baus": both}
