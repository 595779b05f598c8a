"""Shortcuts: does the network look at the animal, or at its background, camera or pose?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.apart import apart_of
from wildreid.artefacts import TIE, Evidence, Ranking
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.rank import rank
from wildreid.evaluation.slices import FEW
from wildreid.progress import bar

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints
    from wildreid.data.pixels import ImageRows

Pixels = NDArray[np.uint8]
BLANKED = 0.75
"""Share of each side that is blanked where the box has no margin around it."""


def probes(
    evidence: Evidence,
    images: ImageRows,
    embed: Callable[[Pixels], Floats],
    *,
    part: str = "test",
    margin: float = 0.0,
    intervals: Bootstrap,
    batch: int = 64,
) -> dict[str, Any]:
    """Measure what a network that sees the animal could not do, or should not mind.

    - ``background``: accuracy@1 when the middle of every image, query and gallery, is blanked. Near the
      figure for whole images, the background gives the animal away.
    - ``mirrored``: accuracy@1 when the queries alone are mirrored. Far below the figure for whole images,
      the network reads one side of the animal, as it should where both sides differ.
    - ``camera``: among images of the query's own individual from other encounters, how often the nearest is
      from the query's camera, beside the share that chance gives. Above it, the embedding tells cameras
      apart.

    Args:
        evidence: of the protocol that the probes follow.
        images: the pixels of the table's rows.
        embed: (N, size, size, 3) uint8 to (N, width) float32 of unit length.
        part: where the queries are.
        margin: of the boxes, as in the recipe.
        intervals: by the evidence's individuals.
        batch: images embedded at once.

    Returns:
        Each probe by its name: ``value``, ``low``, ``high``, ``n``, ``reference``, ``too_few`` and
        ``meaning``, or ``reason`` where it cannot be measured.
    """
    ranking, table = evidence.ranking, evidence.table
    shown = np.union1d(ranking.queries, ranking.gallery)
    blanked = _embed_again(evidence, shown, images, embed, batch, lambda pixels: blank(pixels, margin))
    mirrored = _embed_again(evidence, ranking.queries, images, embed, batch, mirror)
    again = partial(rank, table=table, protocol=ranking.protocol, part=part, keep=1)
    background = again(blanked)
    flipped = again(evidence.embeddings, as_queries=mirrored)
    same, chance = _same_camera(evidence)
    reference = float((ranking.own_rank == 1)[ranking.mated].mean()) if ranking.mated.any() else None
    return {
        "background": _probe(
            _accuracy(background),
            reference,
            intervals,
            "accuracy@1 with the middle of every image blanked, beside whole images",
            "there is no mated query",
        ),
        "mirrored": _probe(
            _accuracy(flipped),
            reference,
            intervals,
            "accuracy@1 with the queries mirrored, beside the queries as they are",
            "there is no mated query",
        ),
        "camera": _probe(
            same,
            float(np.nanmean(chance)) if np.isfinite(chance).any() else None,
            intervals,
            "how often the nearest image of the same animal is from the query's camera, beside chance",
            "no individual has images of its query's camera and of another in other encounters",
        ),
    }


def blank(images: Pixels, margin: float = 0.0) -> Pixels:
    """The images with their middle grey: the box where a margin is around it, at most 75 % of a side."""
    size = images.shape[1]
    side = round(size * min(BLANKED, 1 / (1 + 2 * margin)))
    start = (size - side) // 2
    blanked = images.copy()
    blanked[:, start : start + side, start : start + side] = 127
    return blanked


def mirror(images: Pixels) -> Pixels:
    """The images with left and right exchanged."""
    return np.ascontiguousarray(images[:, :, ::-1])


def _embed_again(
    evidence: Evidence,
    rows: Ints,
    images: ImageRows,
    embed: Callable[[Pixels], Floats],
    batch: int,
    change: Callable[[Pixels], Pixels],
) -> Floats:
    """(table rows, width) embeddings of the changed images, zero for rows that are not asked for."""
    found = np.zeros(evidence.embeddings.shape, dtype=np.float32)
    for start in bar(range(0, len(rows), batch), "probing"):
        some = rows[start : start + batch]
        found[some] = embed(change(images.take(some)))
    return found


def _accuracy(ranking: Ranking) -> NDArray[np.float64]:
    return np.where(ranking.mated, ranking.own_rank == 1, np.nan)


def _same_camera(evidence: Evidence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(Q,) whether the nearest image of the query's animal in another encounter is of its camera, and chance.

    NaN for a query whose candidates are all of its camera, or all of others.
    """
    ranking, rows = evidence.ranking, evidence.table.rows
    camera = pd.factorize(rows["camera"])[0]
    encounter = pd.factorize(rows["encounter"])[0]
    identity = rows["identity"].fillna("").to_numpy(dtype=str)
    apart = apart_of(rows)
    same = np.full(len(ranking.queries), np.nan)
    chance = np.full(len(ranking.queries), np.nan)
    gallery_of = pd.Series(ranking.gallery).groupby(identity[ranking.gallery]).indices
    for q in np.flatnonzero(ranking.mated):
        row = ranking.queries[q]
        own = ranking.gallery[gallery_of[identity[row]]]
        others = own[(encounter[own] != encounter[row]) & (camera[own] >= 0)]
        if apart is not None:
            others = others[apart.may(row, others)]
        alike = camera[others] == camera[row]
        if camera[row] >= 0 and alike.any() and not alike.all():
            scores = evidence.embeddings[others] @ evidence.embeddings[row]
            # of several that are equally near each has its share, so that the order of rows does not decide
            same[q], chance[q] = alike[scores >= scores.max() - TIE].mean(), alike.mean()
    return same, chance


def _probe(
    values: NDArray[np.float64], reference: float | None, intervals: Bootstrap, meaning: str, absent: str
) -> dict[str, Any]:
    n = int(np.isfinite(values).sum())
    if not n:
        return {"value": None, "reason": absent, "n": 0, "meaning": meaning}
    low, high = intervals.interval(values) or (None, None)
    return {
        "value": float(np.nanmean(values)),
        "low": low,
        "high": high,
        "n": n,
        "reference": reference,
        "too_few": n < FEW,
        "meaning": meaning,
    }
