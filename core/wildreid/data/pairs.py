"""Pairs of query images for verification: of one animal across encounters, and of two animals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wildreid.apart import apart_of
from wildreid.artefacts import TIE, Evidence, Missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

CHUNK = 2**14


def draw_pairs(evidence: Evidence, *, most: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | Missing:
    """Scores of pairs of query images, and whether both show one animal.

    Queries of unknown identity are left out, and pairs that are kept apart, such as a left and a right flank. A
    pair of one animal is of two encounters; under image-loo of two images.

    Args:
        evidence: of one protocol.
        most: where there are more pairs than this, so many of each sort are drawn, with replacement.

    Returns:
        (P,) cosine similarity and (P,) whether of one animal; or why there are none.
    """
    rows = evidence.ranking.queries[evidence.known]
    who = evidence.individuals[evidence.known]
    met = evidence.encounters[evidence.known]
    if evidence.ranking.protocol == "image-loo":
        met = np.arange(len(rows))
    if len(rows) * (len(rows) - 1) // 2 <= most:
        first, second = np.triu_indices(len(rows), 1)
    else:
        random = np.random.default_rng(evidence.seed)
        mixed = random.integers(0, len(rows), (2, 2 * most))
        alike = _of_one(who, 2 * most, random)
        first, second = np.concatenate([mixed, alike], axis=1)
    same, apart = who[first] == who[second], apart_of(evidence.table.rows)
    matched: NDArray[np.bool_] = np.ones(len(first), bool)
    if apart is not None:
        matched = apart.may(rows[first], rows[second])
    positive = np.flatnonzero(same & matched & (met[first] != met[second]))[:most]
    negative = np.flatnonzero(~same & matched)[:most]
    if not len(positive) or not len(negative):
        what = "of one animal in two encounters" if len(negative) else "of two animals"
        return Missing(f"there is no pair of images {what}")
    kept = np.concatenate([positive, negative])
    a, b = rows[first[kept]], rows[second[kept]]
    scores = np.empty(len(kept))
    for start in range(0, len(kept), CHUNK):
        part = slice(start, start + CHUNK)
        scores[part] = np.einsum("nd,nd->n", evidence.embeddings[a[part]], evidence.embeddings[b[part]])
    return scores, same[kept]


def _of_one(who: Ints, count: int, random: np.random.Generator) -> Ints:
    """(2, count) random pairs of one animal, each ordered pair of two images as likely as any other."""
    order = np.argsort(who, kind="stable")
    _, starts, sizes = np.unique(who[order], return_index=True, return_counts=True)
    pairs = sizes * (sizes - 1.0)
    if not pairs.any():
        return np.empty((2, 0), dtype=np.int64)
    chosen = random.choice(len(sizes), count, p=pairs / pairs.sum())
    first = random.integers(0, sizes[chosen])
    second = random.integers(0, sizes[chosen] - 1)
    second += second >= first
    return order[starts[chosen] + np.stack([first, second])]


def roc(
    scores: NDArray[np.float64], same: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true accept rates at every threshold, from one that accepts nothing to one that accepts all.

    A threshold stands at each score of a pair of one animal; a pair of two animals that ties with it is
    accepted too.
    """
    ours, others = np.sort(scores[same]), np.sort(scores[~same])
    thresholds = np.append(np.unique(ours), np.inf)[::-1]
    true = 1 - np.searchsorted(ours, thresholds) / len(ours)
    false = 1 - np.searchsorted(others, thresholds - TIE) / len(others)
    return np.append(false, 1.0), np.append(true, 1.0)
