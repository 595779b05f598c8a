"""The candidates of each query: base scores, the shortlist that is matched, and what all scores make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wildreid import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.kinds import Fusion, Reranker
    from wildreid.matching.curve import PairCurve
    from wildreid.matching.pairs import PairScores
    from wildreid.matching.sides import Sides

    Doubles = NDArray[np.float64]

ORDER = 1e-4
"""The share of the embedding's probability in a fused score: it orders candidates that are tied by all else."""
BEYOND = 4.0
"""More than any two base scores differ by: what stands behind is lowered by it."""


class Candidates:
    """What one protocol's queries may be matched to, and by which scores.

    Masks come first: a photo that a query may not be matched to is in no shortlist and helps no re-ranker.

    Args:
        sides: queries, gallery and masks.
        embeddings: (rows, width) of unit length.
        reranker: orders the nearest again; None: the cosine similarity stands.
        pairs: gallery images that each query is matched to, at most.
    """

    def __init__(self, sides: Sides, embeddings: Floats, *, reranker: Reranker | None, pairs: int) -> None:
        self.sides, self.reranker, self.budget = sides, reranker, pairs
        self._similarities = sides.similarities(embeddings)
        self.shortlists: list[Ints] = []
        self.local: list[list[Doubles]] = []  # by query: one array a matcher, over the shortlist

    def similarity(self, query: int) -> Doubles:
        """(G,) cosine similarity, whatever the re-ranker."""
        return self._similarities(query)

    def base(self, query: int) -> Doubles:
        """(G,) cosine similarity, or what the re-ranker makes of the nearest; the others stay behind in order."""
        similarity = self._similarities(query)
        if self.reranker is None:
            return similarity
        nearest = self._nearest(query, similarity, self.reranker.reach)
        if len(nearest):
            asked, candidates = self._similarities.vectors(query, nearest)
            anew = self.reranker.rerank(query=asked, candidates=candidates)
            lowest, cut = float(anew.min()), float(similarity[nearest[-1]])
            similarity = lowest - 1e-5 + np.minimum(similarity - cut, 0)
            similarity[nearest] = anew
        return similarity

    def match(self, scores: Sequence[PairScores]) -> None:
        """Choose the shortlists, and match each query to its own."""
        for query in progress.bar(range(len(self.sides)), "matching pairs"):
            places = self._nearest(query, self.base(query), self.budget)
            rows = self.sides.gallery[places]
            self.shortlists.append(places)
            self.local.append([one.of(int(self.sides.queries[query]), rows) for one in scores])

    @property
    def exhaustive(self) -> bool:
        """Whether every query is matched to all images that it may be matched to."""
        return all(len(self.shortlists[q]) == self.sides.valid(q).sum() for q in range(len(self.sides)))

    def alone(self, query: int, matcher: int) -> Doubles:
        """(G,) one matcher's scores, and behind them the base order of what was not matched."""
        scores = self.base(query) - BEYOND
        scores[self.shortlists[query]] = np.log1p(self.local[query][matcher])
        return scores

    def fused(self, query: int, curves: Sequence[PairCurve], fusion: Fusion) -> Doubles:
        """(G,) in [0, 1]; what was not matched counts as if no point had matched, -inf where masked."""
        valid = np.flatnonzero(self.sides.valid(query))
        base = self.base(query)
        probabilities = np.empty((len(curves), len(valid)))
        probabilities[0] = curves[0](base[valid])
        for number, curve in enumerate(curves[1:]):
            every = np.zeros(len(base))
            every[self.shortlists[query]] = np.log1p(self.local[query][number])
            probabilities[number + 1] = curve(every[valid])
        scores = np.full(len(base), -np.inf)
        scores[valid] = (fusion.fuse(probabilities=probabilities) + ORDER * probabilities[0]) / (1 + ORDER)
        return scores

    def sample(
        self, query: int, scores: Sequence[PairScores], drawn: Ints
    ) -> tuple[Doubles, NDArray[np.bool_]]:
        """(1 + matchers, n) scores of a query's shortlist and of further pairs; whether each is one animal."""
        listed = self.shortlists[query]
        further = np.setdiff1d(drawn, listed)
        places = np.concatenate([listed, further])
        rows, row = self.sides.gallery[further], int(self.sides.queries[query])
        local = [
            np.log1p(np.concatenate([own, one.of(row, rows)]))
            for own, one in zip(self.local[query], scores, strict=True)
        ]
        return np.stack([self.base(query)[places], *local]), self.sides.same(query)[places]

    def _nearest(self, query: int, scores: Doubles, count: int) -> Ints:
        """The best valid places, the best first; ties by individual and id."""
        valid = np.flatnonzero(self.sides.valid(query))
        if len(valid) > count:
            cut = np.partition(scores[valid], len(valid) - count)[len(valid) - count]
            valid = valid[scores[valid] >= cut]
        return valid[np.argsort(-scores[valid], kind="stable")][:count]
