"""AUROC and FPR@95TPR: whether the best score tells known animals from unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.artefacts import TIE, Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class AUROC(Metric):
    """How well the best score tells mated from non-mated queries.

    ``auroc`` is the chance that a mated query's best score is above a non-mated one's; a tie counts against
    the model. ``fpr@95tpr`` is the share of non-mated queries at or above the highest threshold that 95 % of
    the mated ones reach.
    """

    name = "auroc"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """Two figures; missing where there are no mated or no non-mated queries."""
        import numpy as np

        ranking = evidence.ranking
        best = ranking.first_score.astype(float)
        known, unknown = np.sort(best[ranking.mated]), np.sort(best[~ranking.mated])
        if not len(known) or not len(unknown):
            reason = "there is no non-mated query" if len(known) else "there is no mated query"
            return dict.fromkeys(("auroc", "fpr@95tpr"), Missing(reason))
        threshold = known[len(known) - int(np.ceil(0.95 * len(known) - 1e-9))]
        return {
            "auroc": float(np.searchsorted(unknown, known - TIE).mean() / len(unknown)),
            "fpr@95tpr": float((unknown >= threshold - TIE).mean()),
        }
