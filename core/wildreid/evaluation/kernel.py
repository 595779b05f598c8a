"""One pass over a block of scores: individual maxima, masks and ranks, compiled.

The scores are float32 from a matrix product, whose last digits depend on block sizes and libraries. They
serve as a filter: a query's own images are scored again in double, and so is any image so near to one of
them that rounding could decide. Ranks therefore do not depend on how the product was computed.
"""

from __future__ import annotations

import numpy as np

from wildreid.artefacts import TIE
from wildreid.compiled import ROUNDING, compiled, doubtful, exact_score, place, sort


@compiled()
def _keep(scores, items, score, item):  # type: ignore[no-untyped-def]
    """Insert into a falling list, after equals; the last falls out."""
    at = scores.shape[0] - 1
    while at > 0 and score > scores[at - 1]:
        scores[at] = scores[at - 1]
        items[at] = items[at - 1]
        at -= 1
    scores[at] = score
    items[at] = item


@compiled()
def rank_block(  # type: ignore[no-untyped-def]
    first, last, scores, queries, gallery, starts, query_of, gallery_of, across, offsets, out
):
    """Rank queries `first` … `last` - 1 of a block; writes into the arrays of `out`.

    Args:
        first: of the block's queries.
        last: one after the last.
        scores: (B, G) cosine similarity, the gallery sorted by individual; -inf for pairs that are kept apart.
        queries: (B, width) embeddings.
        gallery: (G, width) embeddings.
        starts: (N + 1,) where each individual's images begin.
        query_of: (rows, individuals, encounters) of the queries, each (B,); -1: not in the gallery.
        gallery_of: (rows, encounters) of the gallery, each (G,).
        across: whether own encounters are masked.
        offsets: (B + 1,) where each query's true ranks begin in ``out``.
        out: (top, top_scores, top_places, top_images, top_image_scores, own_rank, own_score, impostor,
            true_ranks, valid, masked), prefilled for a non-mated query without gallery; places and images are
            positions in the gallery.
    """
    query_rows, query_individuals, query_encounters = query_of
    gallery_rows, gallery_encounters = gallery_of
    top, top_scores, top_places, top_images, top_image_scores = out[:5]
    own_rank, own_score, impostor, true_ranks, valid, masked = out[5:]
    kept = top.shape[1]
    longest = np.int64(0)
    for q in range(first, last):
        longest = max(longest, offsets[q + 1] - offsets[q])
    exact = np.empty(longest)
    bars = np.empty(longest)
    true = np.empty(longest, np.int64)
    reached = np.empty(longest + 1, np.int64)
    best_scores = np.empty(kept, np.float32)
    best = np.empty(kept, np.int64)
    place_of = np.empty(kept, np.int64)
    best_image_scores = np.empty(kept, np.float32)
    best_images = np.empty(kept, np.int64)
    places = np.empty(starts.shape[0], np.int64)

    for q in range(first, last):
        own = query_individuals[q]
        count = 0
        hidden = 0
        if own >= 0:
            for g in range(starts[own], starts[own + 1]):
                if gallery_rows[g] == query_rows[q]:
                    hidden += 1
                elif (across and gallery_encounters[g] == query_encounters[q]) or scores[q, g] == -np.inf:
                    hidden += 1
                    masked[q] += 1
                else:
                    exact[count] = exact_score(queries[q], gallery[g])
                    true[count] = g
                    count += 1
        sort(exact, true, count)
        for i in range(count):
            bars[i] = exact[i] - TIE
        reached[: count + 1] = 0
        lowest = bars[count - 1] - ROUNDING if count else np.inf
        best_scores[:] = -np.inf
        best[:] = -1
        best_image_scores[:] = -np.inf
        best_images[:] = -1
        before = 0
        gate = -np.inf  # a score below it enters no list, and comes after all images of the query's own

        for individual in range(starts.shape[0] - 1):
            if individual == own:
                continue
            nearest = np.float32(-np.inf)
            beats = False
            for g in range(starts[individual], starts[individual + 1]):
                score = scores[q, g]
                if score < gate:
                    continue
                if score > nearest:
                    nearest = score
                    places[individual] = g
                if score > best_image_scores[kept - 1]:
                    _keep(best_image_scores, best_images, score, g)
                if score >= lowest:
                    bar = place(bars, count, score)
                    if doubtful(bars, count, score, bar):
                        bar = place(bars, count, exact_score(queries[q], gallery[g]))
                    reached[bar] += 1
                    beats = beats or bar == 0
            before += beats
            if nearest > best_scores[kept - 1]:
                _keep(best_scores, best, nearest, individual)
            if nearest >= gate:
                gate = min(
                    min(np.float64(best_scores[kept - 1]), np.float64(best_image_scores[kept - 1])), lowest
                )

        impostor[q] = best_scores[0]
        valid[q] = gallery.shape[0] - hidden
        for i in range(kept):
            place_of[i] = places[best[i]] if best[i] >= 0 else -1
        at = 0
        if count:
            own_rank[q] = before + 1
            own_score[q] = exact[0]
        for i in range(kept):
            if count and i == before:
                top[q, i] = own
                top_scores[q, i] = own_score[q]
                top_places[q, i] = true[0]
            else:
                top[q, i] = best[at]
                top_scores[q, i] = best_scores[at]
                top_places[q, i] = place_of[at]
                at += 1
        ahead = 0
        at = 0
        slot = 0
        for i in range(count):
            ahead += reached[i]
            true_ranks[offsets[q] + i] = ahead + i + 1
            while slot < min(kept, ahead + i):
                top_images[q, slot] = best_images[at]
                top_image_scores[q, slot] = best_image_scores[at]
                at += 1
                slot += 1
            if slot < kept:
                top_images[q, slot] = true[i]
                top_image_scores[q, slot] = exact[i]
                slot += 1
        while slot < kept:
            top_images[q, slot] = best_images[at]
            top_image_scores[q, slot] = best_image_scores[at]
            at += 1
            slot += 1
