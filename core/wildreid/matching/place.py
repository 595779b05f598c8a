"""The control for place: do photos of different animals match better where they were taken at one place?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.evaluation.intervals import Bootstrap

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.data.table import Table
    from wildreid.matching.pairs import PairScores
    from wildreid.matching.sides import Sides

QUERIES = 200
"""Queries that take part at most, drawn at random."""
EACH = 3
"""Photos at the same place and elsewhere that each is matched to, at most."""
LEAST = 10
"""Queries with photos of others at their place; with fewer nothing is said."""
CONFIDENCE = 0.95


def control(
    sides: Sides, table: Table, scores: Sequence[PairScores], *, seed: int, resamples: int
) -> dict[str, Any]:
    """For each matcher, how often two animals at one camera and day match better than two elsewhere.

    Each query is matched to photos of other animals of its own group (one camera, one day) and to as many of
    other groups. A figure of 0.5 says that matches know nothing of the place; one whose interval lies
    above, that they do.

    Returns:
        By matcher ``value``, ``low``, ``high``, ``n`` and ``individuals``, and under ``same`` and ``elsewhere`` the
        mean score; or ``reason``.
    """
    if "group" not in table.rows or not table["camera"].notna().any():
        return {"reason": "no photo says which camera took it"}
    groups = table["group"].to_numpy(dtype=str)
    random = np.random.default_rng(seed)
    asked: list[int] = []
    pairs: list[list[Ints]] = []
    for query in random.permutation(len(sides)):
        if sides.own[query] < 0 or len(asked) == QUERIES:
            continue
        others = sides.valid(int(query)) & ~sides.same(int(query))
        here = groups[sides.gallery] == groups[sides.queries[query]]
        near, far = np.flatnonzero(others & here), np.flatnonzero(others & ~here)
        if len(near) and len(far):
            asked.append(int(query))
            pairs.append([random.choice(one, min(EACH, len(one)), replace=False) for one in (near, far)])
    if len(asked) < LEAST:
        few = f"only {len(asked)} queries have" if asked else "no query has"
        return {"reason": f"{few} another animal at their camera and day"}
    individuals = np.unique(sides.own[asked], return_inverse=True)[1]
    found: dict[str, Any] = {}
    for one in scores:
        here, elsewhere = (
            [
                one.of(int(sides.queries[query]), sides.gallery[both[side]])
                for query, both in zip(asked, pairs, strict=True)
            ]
            for side in (0, 1)
        )
        far_all = np.sort(np.concatenate(elsewhere))
        values = np.array([_beats(own, far_all) for own in here])
        bounds = Bootstrap(individuals, resamples, CONFIDENCE, seed).interval(values) if resamples else None
        low, high = bounds or (None, None)
        found[one.local.option.name] = {
            "value": float(values.mean()), "low": low, "high": high,
            "n": len(asked), "individuals": int(individuals.max()) + 1,
            "same": float(np.mean([own.mean() for own in here])),
            "elsewhere": float(far_all.mean()),
        }  # fmt: skip
    return found


def _beats(own: Any, far: Any) -> float:
    """The share of the sorted far scores that the own ones are above; ties count half."""
    below, not_above = np.searchsorted(far, own, side="left"), np.searchsorted(far, own, side="right")
    return float((below + not_above).mean() / (2 * len(far)))
