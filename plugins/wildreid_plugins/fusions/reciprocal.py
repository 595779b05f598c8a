"""Reciprocal ranks: only the order by each score counts, not how probable it says a match is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Fusion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ReciprocalRank(Fusion):
    """The mean of (k + 1) / (k + rank) over the scores: 1 for a candidate that is first by all of them.

    Candidates with one probability have one rank, the best of theirs.

    Source: Cormack et al. 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods".
    """

    name = "reciprocal-rank"
    k: float = Field(60.0, ge=0, description="how little the first ranks differ; the paper's 60")

    def fuse(self, *, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) the mean of the reciprocal ranks."""
        import numpy as np

        falling = np.sort(-probabilities, axis=1)
        ranks = np.stack([np.searchsorted(a, -b) + 1 for a, b in zip(falling, probabilities, strict=True)])
        fused: NDArray[np.float64] = ((self.k + 1) / (self.k + ranks)).mean(axis=0)
        return fused
