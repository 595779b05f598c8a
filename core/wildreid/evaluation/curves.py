"""Curves of one ranking: accuracy by k, detection against false positives, and reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from wildreid.artefacts import Evidence

POINTS = 200
DEPTH = 20
BINS = 15


def curves(evidence: Evidence) -> dict[str, Any]:
    """Each curve by its name, as lists; a curve that cannot be drawn is ``{"reason": …}``."""
    return {
        "accuracy": accuracy(evidence),
        "dir_fpir": dir_fpir(evidence),
        "reliability": reliability(evidence),
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
    ranking = evidence.ranking
    if evidence.decision is None:
        return {"reason": "no calibration was fitted"}
    probability = evidence.decision.probability(ranking.first_score)
    order = np.argsort(probability, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    right = ranking.own_rank == 1
    return {
        "probability": [float(probability[part].mean()) for part in bins],
        "right": [float(right[part].mean()) for part in bins],
        "n": [len(part) for part in bins],
    }
