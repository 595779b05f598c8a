"""How often the right individual comes first where the gallery has k photos of each: exact, not by drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wildreid.apart import apart_of, own_encounter_masked
from wildreid.compiled import compiled, doubtful, exact_score, place, sort

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence

SCORES = 64 * 2**20
"""Bytes of similarities that are held at once."""


def few_shots(evidence: Evidence, k: int) -> NDArray[np.float64]:
    """(Q,) the chance that a mated query's individual is first when k photos of each are drawn; NaN for others.

    Of each individual k photos are drawn without putting back from those that the query may be matched to (all,
    where it has fewer), each set as likely as any other. With o_1 ≤ o_2 ≤ … the n scores of the query's own
    photos, the best of the k drawn is o_i with the chance C(i - 1, k - 1) / C(n, k). Another individual with m
    photos, of which b score below o_i, stays below it with the chance C(b, k) / C(m, k); individuals are drawn
    apart, so these multiply. A tie counts against the model. That is what many draws come near to.

    Args:
        evidence: a ranking, and the embeddings and table it was made from.
        k: photos of each individual, one at least.
    """
    import pandas as pd

    from wildreid.artefacts import TIE

    ranking, rows = evidence.ranking, evidence.table.rows
    identity = pd.factorize(rows["identity"])[0]
    encounter = pd.factorize(rows["encounter"])[0]
    gallery = ranking.gallery[np.argsort(identity[ranking.gallery], kind="stable")]
    there, starts = np.unique(identity[gallery], return_index=True)
    starts = np.append(starts, len(gallery))
    images = np.ascontiguousarray(evidence.embeddings[gallery], dtype=np.float32)
    apart = apart_of(rows)
    across = own_encounter_masked(ranking, apart)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(gallery) + 1)))])

    found = np.full(len(ranking.queries), np.nan)
    asked = np.flatnonzero(ranking.mated)
    step = max(1, SCORES // (4 * max(1, len(gallery))))
    for start in range(0, len(asked), step):
        places = asked[start : start + step]
        queries = ranking.queries[places]
        vectors = np.ascontiguousarray(evidence.embeddings[queries], dtype=np.float32)
        scores = vectors @ images.T
        if apart is not None:
            scores[apart.banned(queries, gallery)] = -np.inf
        found[places] = _chances(
            scores,
            vectors,
            images,
            (queries, np.searchsorted(there, identity[queries]), encounter[queries]),
            (gallery, encounter[gallery]),
            starts,
            across,
            factorials,
            k,
            TIE,
        )
    return found


@compiled()
def _log_choose(factorials, n, k):  # type: ignore[no-untyped-def]
    return factorials[n] - factorials[k] - factorials[n - k] if n >= k else -np.inf


@compiled()
def _chances(  # type: ignore[no-untyped-def]
    scores, queries, images, query_of, gallery_of, starts, across, factorials, k, tie
):
    """(B,) the chance of each query of a block.

    Args:
        scores: (B, G) cosine similarity, the gallery sorted by individual; -inf for pairs that are kept apart.
        queries: (B, width) embeddings.
        images: (G, width) embeddings of the gallery.
        query_of: (rows, individuals, encounters) of the queries, each (B,).
        gallery_of: (rows, encounters) of the gallery, each (G,).
        starts: (N + 1,) where each individual's images begin.
        across: whether own encounters are masked.
        factorials: log n! for each n up to G.
        k: photos of each individual.
        tie: scores nearer than this are equal.
    """
    query_rows, query_individuals, query_encounters = query_of
    gallery_rows, gallery_encounters = gallery_of
    found = np.full(scores.shape[0], np.nan)
    longest = 0
    for individual in range(starts.shape[0] - 1):
        longest = max(longest, starts[individual + 1] - starts[individual])
    bars = np.empty(longest)
    items = np.empty(longest, np.int64)
    chance = np.empty(longest)
    reaching = np.zeros(longest + 1, np.int64)
    for q in range(scores.shape[0]):
        own = query_individuals[q]
        count = 0
        for g in range(starts[own], starts[own + 1]):
            hidden = gallery_rows[g] == query_rows[q] or scores[q, g] == -np.inf
            if not hidden and not (across and gallery_encounters[g] == query_encounters[q]):
                bars[count] = exact_score(queries[q], images[g]) - tie
                items[count] = g
                count += 1
        if not count:
            continue
        sort(bars, items, count)
        # that each of the own photos, the most alike first, is the best of those drawn
        drawn = min(k, count)
        for i in range(count):
            below = _log_choose(factorials, count - 1 - i, drawn - 1)
            chance[i] = below - _log_choose(factorials, count, drawn)
        for individual in range(starts.shape[0] - 1):
            if individual == own:
                continue
            size = 0
            highest = count
            for g in range(starts[individual], starts[individual + 1]):
                if scores[q, g] == -np.inf:
                    continue
                size += 1
                bar = place(bars, count, scores[q, g])
                if doubtful(bars, count, scores[q, g], bar):
                    bar = place(bars, count, exact_score(queries[q], images[g]))
                reaching[bar] += 1
                highest = min(highest, bar)
            drawn = min(k, size)
            above = 0
            for i in range(highest, count):
                above += reaching[i]
                chance[i] += _log_choose(factorials, size - above, drawn)
                chance[i] -= _log_choose(factorials, size, drawn)
            reaching[: count + 1] = 0
        total = 0.0
        for i in range(count):
            total += np.exp(chance[i])
        found[q] = total
    return found
