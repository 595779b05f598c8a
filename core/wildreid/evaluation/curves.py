"""Curves of one ranking: accuracy by k, detection against false positives, reliability, verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.artefacts import Missing
from wildreid.data.pairs import draw_pairs, roc

if TYPE_CHECKING:
    from wildreid.artefacts import Evidence

POINTS = 200
DEPTH = 20
PAIRS = 200_000


def curves(evidence: Evidence) -> dict[str, Any]:
    """Each curve by its name, as lists; a curve that cannot be drawn is ``{"reason": …}``."""
    return {
        "accuracy": accuracy(evidence),
        "dir_fpir": dir_fpir(evidence),
        "reliability": reliability(evidence),
        "verification": verification(evidence),
    }


def accuracy(evidence: Evidence) -> dict[str, Any]:
    """Accuracy@k of individuals for k = 1 … 20."""
    ranks = evidence.ranking.own_rank[evidence.ranking.mated]
    if not len(ranks):
        return {"reason": "no query has an image to be matched to"}
    k = np.arange(1, DEPTH + 1)
    return {"k": k.tolist(), "accuracy": (ranks[:, None] <= k).mean(axis=0).tolist()}


def dir_fpir(evidence: Evidence) -> dict[str, Any]:
    """DIR(1, T) and FPIR(T) at up to 200 thresholds, from strict to lax."""
    ranking = evidence.ranking
    mated = ranking.mated
    unknown = np.sort(ranking.first_score[~mated].astype(float))
    if not mated.any() or not len(unknown):
        return {"reason": "needs both mated and non-mated queries"}
    right = np.sort(ranking.own_score[mated & (ranking.own_rank == 1)].astype(float))
    pooled = np.concatenate([unknown[np.isfinite(unknown)], right])
    thresholds = np.unique(np.quantile(pooled, np.linspace(0, 1, POINTS), method="nearest"))[::-1]
    return {
        "threshold": thresholds.tolist(),
        "dir1": ((len(right) - np.searchsorted(right, thresholds)) / mated.sum()).tolist(),
        "fpir": ((len(unknown) - np.searchsorted(unknown, thresholds)) / len(unknown)).tolist(),
    }


def reliability(evidence: Evidence) -> dict[str, Any]:
    """Calibrated probability and share right in 15 bins of equal mass."""
    if evidence.decision is None or not len(evidence.ranking.queries):
        return {"reason": "no calibration was fitted"}
    if not evidence.decision.tells:
        return {"reason": evidence.decision.in_words}
    probability, right, n = evidence.reliability()
    return {"probability": probability.tolist(), "right": right.tolist(), "n": n.tolist()}


def verification(evidence: Evidence) -> dict[str, Any]:
    """Rates of false and true accepts over pairs of query images, at up to 200 thresholds."""
    drawn = draw_pairs(evidence, most=PAIRS)
    if isinstance(drawn, Missing):
        return {"reason": drawn.reason}
    false, true = roc(*drawn)
    points = np.unique(np.linspace(0, len(false) - 1, POINTS).astype(int))
    return {"far": false[points].tolist(), "tar": true[points].tolist(), "pairs": len(drawn[0])}
