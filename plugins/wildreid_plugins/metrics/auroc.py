"""AUROC and FPR@95TPR: whether the best score tells known animals from unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.artefacts import TIE, Combined, Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    from wildreid.artefacts import Evidence


class AUROC(Metric):
    """How well the best score tells mated from non-mated queries.

    ``auroc`` is the chance that a mated query's best score is above a non-mated one's; a tie counts against
    the model. Its interval resamples the share of pairs in order that each query, mated or not, has (the
    placement values of DeLong et al. 1988). ``fpr@95tpr`` is the share of non-mated queries at or above the
    highest threshold that 95 % of the mated ones reach.
    """

    name = "auroc"

    def measure(self, *, evidence: Evidence) -> dict[str, float | Combined | Missing]:
        """Two figures; missing where there are no mated or no non-mated queries."""
        import numpy as np

        ranking = evidence.ranking
        best = ranking.first_score.astype(float)
        known, unknown = np.sort(best[ranking.mated]), np.sort(best[~ranking.mated])
        if not len(known) or not len(unknown):
            reason = "there is no non-mated query" if len(known) else "there is no mated query"
            return dict.fromkeys(("auroc", "fpr@95tpr"), Missing(reason))
        threshold = known[len(known) - int(np.ceil(0.95 * len(known) - 1e-9))]
        # each mated query's share of non-mated ones below it, and each non-mated one's of mated ones above it
        below = np.where(ranking.mated, np.searchsorted(unknown, best - TIE) / len(unknown), np.nan)
        reached = np.searchsorted(known - TIE, best, side="right")
        above = np.where(ranking.mated, np.nan, 1 - reached / len(known))
        auroc = float(np.nanmean(below))
        return {
            "auroc": Combined((below, above), lambda mated, other: np.clip(mated + other - auroc, 0, 1)),
            "fpr@95tpr": float((unknown >= threshold - TIE).mean()),
        }
