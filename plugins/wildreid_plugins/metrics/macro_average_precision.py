"""Macro mAP: every individual counts alike, however often it was photographed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class MacroAveragePrecision(Metric):
    """Mean over individuals of the mean average precision of each one's mated queries.

    Average precision as in `map`. Figure: ``macro-map``.
    """

    name = "macro-map"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value an individual, at the first of its queries."""
        ranking = evidence.ranking
        precision = ranking.mean_over_true(ranking.true_positions / ranking.true_ranks)
        return {"macro-map": evidence.by_individual(precision, ranking.mated)}
