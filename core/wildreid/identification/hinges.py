"""Pairs of encounters that clustering hinges on: their photos are matched, others stay as the embedding says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wildreid import progress
from wildreid.identification.local import Matchers
from wildreid.matching.candidates import blended
from wildreid.matching.pairs import PairScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.kinds import Fusion
    from wildreid.matching.curve import PairCurve
    from wildreid.matching.local import Featured

GRID = np.linspace(-1, 1, 4001)


@dataclass(frozen=True)
class Hinges:
    """Matches photos of encounters whose similarity is near the cut.

    Attributes:
        matchers: by which.
        local: features of the photos, by matcher.
        at: (photos,) the row of each in these.
        tags: of each photo what keeps it apart from others, as `wildreid.identification.search.tags_of` has it.
        pairs: comparisons of two photos, for each photo on average, at most.
        seconds: that they take for each photo on average, at most; None: however long.
    """

    matchers: Matchers
    local: Sequence[Featured]
    at: Ints
    tags: Sequence[NDArray[np.str_]]
    pairs: int
    seconds: float | None = None

    def settled(
        self, similarity: Floats, embeddings: Floats, burst: Ints, rows: Ints, *, cut: float
    ) -> Floats:
        """(E, E) similarities, those nearest to the cut by what matching says as well.

        A pair of encounters that is matched has the cosine similarity at which the embedding alone would be as
        sure as embedding and matchers are together; so `cut` holds for all. Of each photo in one encounter the most
        alike in the other is matched, of those that show the same side and species.

        Args:
            similarity: of encounters, symmetric; -inf where two cannot be one animal.
            embeddings: (n, width) of the photos.
            burst: (n,) their encounters, 0 … E - 1.
            rows: (n,) their positions in `at`.
            cut: the similarity that counts.
        """
        members = [np.flatnonzero(burst == number) for number in range(len(similarity))]
        left, other = np.triu_indices(len(similarity), 1)
        near = np.abs(similarity[left, other].astype(float) - cut)
        order = np.argsort(near, kind="stable")
        order = order[np.isfinite(near[order])]
        settled = similarity.copy()
        budget = self.pairs * len(rows)
        end = None if self.seconds is None else time.monotonic() + self.seconds * len(rows)
        with ExitStack() as stack:
            scores = [stack.enter_context(PairScores(one, None)) for one in self.local]
            for pair in progress.bar(order, "matching bursts"):
                a, b = members[left[pair]], members[other[pair]]
                budget -= len(a) + len(b)
                if budget < 0 or (end is not None and time.monotonic() > end):
                    break
                cosine = np.where(self._apart(rows[a], rows[b]), -np.inf, embeddings[a] @ embeddings[b].T)
                if np.isfinite(cosine).any():
                    one = self._sure(scores, rows[a], rows[b], cosine)
                    two = self._sure(scores, rows[b], rows[a], cosine.T)
                    settled[left[pair], other[pair]] = settled[other[pair], left[pair]] = (one + two) / 2
        return settled

    def _sure(self, scores: Sequence[PairScores], own: Ints, others: Ints, cosine: Floats) -> float:
        """The mean over some photos of how like the most alike of the others is, as a cosine similarity."""
        own, cosine = own[np.isfinite(cosine).any(axis=1)], cosine[np.isfinite(cosine).any(axis=1)]
        best = cosine.argmax(axis=1)
        probabilities = np.empty((1 + len(scores), len(own)))
        probabilities[0] = self.matchers.curves[0](cosine.max(axis=1).astype(float))
        for number, one in enumerate(scores, 1):
            found = [
                float(one.of(int(self.at[row]), self.at[others[[at]]])[0])
                for row, at in zip(own, best, strict=True)
            ]
            probabilities[number] = self.matchers.curves[number](np.log1p(found))
        fused = blended(self.matchers.fusion, probabilities)
        known = self.matchers.curves[0](GRID)
        return float(np.interp(fused, known, GRID).mean())

    def _apart(self, own: Ints, others: Ints) -> NDArray[np.bool_]:
        """(own, others) whether two photos show different sides or species."""
        found = np.zeros((len(own), len(others)), bool)
        for tag in self.tags:
            a, b = tag[own][:, None], tag[others][None]
            found |= (a != b) & (a != "") & (b != "")
        return found


def why_unhinged(matchers: Matchers) -> str:
    """Why a gallery's matchers say nothing of a pair of encounters; empty where they do."""
    if matchers.reranker is not None:
        return f"{matchers.reranker.name} orders what is in the gallery"
    if matchers.curves[0].slope <= 0:
        return "the embedding says nothing of a pair"
    if _by_rank(matchers.fusion, matchers.curves):
        return f"{matchers.fusion.name} fuses ranks, which say nothing of one pair alone"
    return ""


def _by_rank(fusion: Fusion, curves: Sequence[PairCurve]) -> bool:
    """Whether the fused score of a pair depends on the pairs beside it."""
    beside: NDArray[np.float64] = np.tile([[0.9, 0.2, 0.6]], (len(curves), 1))
    alone = [fusion.fuse(probabilities=beside[:, [n]])[0] for n in range(3)]
    return not np.allclose(fusion.fuse(probabilities=beside), alone)


def hinges_of(
    matchers: Matchers,
    local: Sequence[Featured],
    at: Ints,
    tags: Sequence[NDArray[np.str_]],
    *,
    pairs: int | None = None,
    seconds: float | None = None,
) -> Hinges | None:
    """What matches some photos; None where the matchers say nothing of a pair, see `why_unhinged`."""
    if why_unhinged(matchers):
        return None
    return Hinges(matchers, local, at, tags, matchers.pairs if pairs is None else pairs, seconds)
