"""What a burst of several images says together: the mean score over its images, as an identification answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import TIE, Evidence
from wildreid.evaluation.calibration import Sample
from wildreid.evaluation.protocols import matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

MOST = 2000
"""Bursts that a calibration is fitted on, at most: of more, so many are drawn."""
CELLS = 2**24
"""Similarities that are held at once."""


def sample_of_bursts(
    evidence: Evidence, scores_of: Callable[[Ints], NDArray[np.floating[Any]]] | None = None
) -> Sample | None:
    """Scores of the query bursts of two and more images; None where there are none.

    A burst is what one animal showed in one ``sequence``. Its score for an individual is the mean, over its images
    that may be matched to the individual, of the best similarity to an image of it; masked as the ranking is.

    Args:
        evidence: a ranking, and what it was made from.
        scores_of: from places among the queries to (n, G) scores of the ranking's gallery, where these are not
            cosine similarities.
    """
    ranking, rows = evidence.ranking, evidence.table.rows
    if "sequence" not in rows:
        return None
    asked = rows.iloc[ranking.queries]
    label = asked["sequence"].where(asked["timestamp"].notna()).astype("object").to_numpy()
    burst = pd.factorize(pd.Series(list(zip(evidence.individuals, label, strict=True))))[0]
    burst = np.where(pd.isna(label), -1, burst)
    numbers, sizes = np.unique(burst[burst >= 0], return_counts=True)
    several = numbers[sizes > 1]
    if len(several) > MOST:
        several = np.sort(np.random.default_rng(0).choice(several, MOST, replace=False))
    if not len(several):
        return None

    identity = pd.factorize(rows["identity"])[0]
    encounter = pd.factorize(rows["encounter"])[0]
    order = np.argsort(identity[ranking.gallery], kind="stable")
    gallery = ranking.gallery[order]
    names, starts = np.unique(identity[gallery], return_index=True)
    images = np.asarray(evidence.embeddings[gallery], dtype=np.float32) if scores_of is None else None
    sides = matching(evidence.table, ranking.protocol, part=str(asked["part"].iloc[0]))
    found = []
    for places in _portions([np.flatnonzero(burst == number) for number in several], len(gallery)):
        members = np.concatenate(places)
        queries = ranking.queries[members]
        if images is not None:
            scores = np.asarray(evidence.embeddings[queries], dtype=np.float32) @ images.T
        else:
            assert scores_of is not None
            scores = scores_of(members)[:, order]
        scores[queries[:, None] == gallery] = -np.inf
        if sides.across:
            scores[encounter[queries][:, None] == encounter[gallery]] = -np.inf
        if sides.apart is not None:
            scores[sides.apart.banned(queries, gallery)] = -np.inf
        best = np.maximum.reduceat(scores, starts, axis=1)
        edges = np.cumsum([0, *map(len, places)])
        for first, low, high in zip(edges[:-1], edges[:-1], edges[1:], strict=True):
            mean = _means(best[low:high])
            own = names == identity[queries[first]]
            own_score = float(mean[own].max(initial=-np.inf))
            impostor = float(mean[~own].max(initial=-np.inf))
            found.append((own_score, impostor, encounter[queries[first]]))
    own, other, whose = map(np.array, zip(*found, strict=True))
    return Sample.of(np.fmax(own, other), own > other + TIE, other, np.isfinite(own), whose.astype(np.int64))


def _means(best: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """(individuals,) the mean of each column's finite scores; -inf where it has none."""
    finite = np.isfinite(best)
    if finite.all():
        return np.asarray(best.mean(axis=0))
    counts = finite.sum(axis=0)
    sums = np.where(finite, best, 0).sum(axis=0)
    means: NDArray[np.floating[Any]] = np.full_like(sums, -np.inf)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _portions(bursts: Sequence[Ints], width: int) -> Iterator[list[Ints]]:
    """Bursts whose similarities to so many gallery images are held at once."""
    portion: list[Ints] = []
    held = 0
    for members in bursts:
        if portion and (held + len(members)) * width > CELLS:
            yield portion
            portion, held = [], 0
        portion.append(members)
        held += len(members)
    yield portion
