"""Accuracy of several rankings of the same queries, each beside the embedding's alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.artefacts import Evidence
from wildreid.evaluation.intervals import Bootstrap, few

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ranking
    from wildreid.data.table import Table

KS = (1, 5)


def figures(
    rankings: Mapping[str, Ranking],
    table: Table,
    embeddings: Floats,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """By ranking and figure (``accuracy@1``, ``accuracy@5``): its value and interval, and the paired difference.

    Args:
        rankings: of the same queries; the first is what the others are compared with.
        table: whose rows they name.
        embeddings: of its rows.
        resamples: of individuals; 0: no intervals.
        confidence: of the intervals.
        seed: of the draw, which serves all.
    """
    found: dict[str, dict[str, Any]] = {}
    first = next(iter(rankings.values()))
    individuals = Evidence(first, table, embeddings).individuals
    intervals = Bootstrap(individuals, resamples, confidence, seed)
    for name, ranking in rankings.items():
        found[name] = {}
        for k in KS:
            hit, base = (np.where(one.mated, one.own_rank <= k, np.nan) for one in (ranking, first))
            one = _with_interval(hit, intervals)
            if ranking is not first:
                paired = _with_interval(hit - base, intervals)
                one |= {"difference": paired["value"], "difference_low": paired["low"]}
                one |= {"difference_high": paired["high"]}
            found[name][f"accuracy@{k}"] = one
    return found


def _with_interval(values: Any, intervals: Bootstrap) -> dict[str, Any]:
    counted = np.isfinite(values)
    one: dict[str, Any] = {"value": None, "low": None, "high": None, "n": int(counted.sum()), "note": None}
    if counted.any():
        one["value"] = float(values[counted].mean())
        if intervals.resamples:
            one["low"], one["high"] = intervals.interval(values) or (None, None)
            individuals = len(np.unique(intervals.individuals[counted]))
            one["note"] = few(individuals, intervals.effective(values)) or None
    return one
