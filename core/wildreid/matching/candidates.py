"""The candidates of each query: base scores, the shortlist that is matched, and what all scores make of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from wildreid import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.kinds import Fusion, Reranker
    from wildreid.matching.curve import PairCurve
    from wildreid.matching.pairs import PairScores

    Doubles = NDArray[np.float64]

ORDER = 1e-4
"""The share of the embedding's probability in a fused score: it orders candidates that are tied by all else."""
BEYOND = 4.0
"""More than any two base scores differ by: what stands behind is lowered by it."""

AT_ONCE = 10
"""Pairs that are matched before the clock is asked, where seconds are counted; so many are matched at least."""


class Similar(Protocol):
    """Cosine similarities by query."""

    def __call__(self, query: int) -> Doubles:
        """(G,) for the query at this place."""
        ...

    def vectors(self, query: int, places: Ints) -> tuple[Floats, Floats]:
        """The embedding of a query, and those at these places of the gallery."""
        ...


class Facing(Protocol):
    """Queries and gallery images, and which of them may be matched: `Sides` of a table, or what a gallery is asked.

    Attributes:
        queries: (Q,) a number for each query.
        gallery: (G,) a number for each gallery image, no query's; by individual.
    """

    @property
    def queries(self) -> Ints:
        """(Q,) numbers."""
        ...

    @property
    def gallery(self) -> Ints:
        """(G,) numbers."""
        ...

    def __len__(self) -> int:
        """How many queries there are."""
        ...

    def valid(self, query: int) -> NDArray[np.bool_]:
        """(G,) whether the query at this place may be matched to each image."""
        ...

    def same(self, query: int) -> NDArray[np.bool_]:
        """(G,) whether each image is known to be of the query's own individual."""
        ...

    def similarities(self, embeddings: Floats) -> Similar:
        """Cosine similarity of queries and gallery."""
        ...


On = TypeVar("On", bound=Facing)


class Candidates(Generic[On]):
    """What one protocol's queries may be matched to, and by which scores.

    Masks come first: a photo that a query may not be matched to is in no shortlist and helps no re-ranker.

    Args:
        sides: queries, gallery and masks.
        embeddings: (rows, width) of unit length.
        reranker: orders the nearest again; None: the cosine similarity stands.
        pairs: gallery images that each query is matched to, at most.
    """

    def __init__(self, sides: On, embeddings: Floats, *, reranker: Reranker | None, pairs: int) -> None:
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

    def match(self, scores: Sequence[PairScores], *, seconds: float | None = None) -> None:
        """Choose the shortlists, and match each query to its own.

        Args:
            scores: of pairs, by matcher.
            seconds: that a query's pairs take, at most; its shortlist ends where they are over. None: no matter.
        """
        for query in progress.bar(range(len(self.sides)), "matching pairs"):
            places = self._nearest(query, self.base(query), self.budget)
            row, rows = int(self.sides.queries[query]), self.sides.gallery[places]
            step, end = len(rows) or 1, np.inf
            if seconds is not None:
                step, end = AT_ONCE, time.monotonic() + seconds
            found: list[list[Doubles]] = [[np.empty(0)] for _ in scores]
            done = 0
            while done < len(rows) and (done == 0 or time.monotonic() < end):
                for one, own in zip(scores, found, strict=True):
                    own.append(one.of(row, rows[done : done + step]))
                done += step
            self.shortlists.append(places[:done])
            self.local.append([np.concatenate(own) for own in found])

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
        scores[valid] = blended(fusion, probabilities)
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


def blended(fusion: Fusion, probabilities: Doubles) -> Doubles:
    """(n,) the fused score of (scores, n) probabilities, the embedding's first, which orders what is tied."""
    found: Doubles = (fusion.fuse(probabilities=probabilities) + ORDER * probabilities[0]) / (1 + ORDER)
    return found
