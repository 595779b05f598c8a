"""k-reciprocal encoding: two photos are alike where they are among one another's nearest, and share these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Reranker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class KReciprocal(Reranker):
    """Jaccard distance of k-reciprocal neighbours, mixed with the distance itself.

    The neighbours are those among the query and its candidates, so photos that the query may not be matched to take
    no part. The similarity is 1 minus the mixed distance; the distance of two photos is that of their embeddings,
    squared and divided by the largest from the same photo, as in the paper's code.

    Source: Zhong et al. 2017, "Re-ranking Person Re-identification with k-reciprocal Encoding", arXiv 1701.08398.
    """

    name = "k-reciprocal"
    reach: int = Field(100, ge=2, description="candidates that are ordered again")
    k1: int = Field(20, ge=1, description="neighbours that may be reciprocal")
    k2: int = Field(6, ge=1, description="neighbours over which encodings are averaged; 1: they are not")
    weight: float = Field(0.3, ge=0, le=1, description="of the distance itself beside Jaccard's")

    def rerank(self, *, query: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N,) one minus the mixed distance."""
        import numpy as np

        vectors = np.concatenate([query[None], candidates]).astype(np.float64)
        apart = np.maximum(2 - 2 * vectors @ vectors.T, 0)
        np.fill_diagonal(apart, 0)
        apart /= np.maximum(apart.max(axis=1, keepdims=True), 1e-12)
        order = np.argsort(apart, axis=1, kind="stable")
        encoded = self._encoded(apart, order)
        if self.k2 > 1:
            encoded = encoded[order[:, : self.k2]].mean(axis=1)
        shared = np.minimum(encoded[0], encoded).sum(axis=1)
        jaccard = 1 - shared / np.maximum(2 - shared, 1e-12)  # each encoding adds up to one
        mixed = (1 - self.weight) * jaccard + self.weight * apart[0]
        return np.asarray(1 - mixed[1:])

    def _encoded(self, apart: NDArray[np.float64], order: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, n) of each photo the weights of its expanded reciprocal neighbours, which add up to one."""
        import numpy as np

        near, nearer = (_reciprocal(order, k) for k in (self.k1, max(1, round(self.k1 / 2))))
        encoded = np.zeros_like(apart)
        for photo in range(len(apart)):
            own = near[photo]
            expanded = own.copy()
            for other in np.flatnonzero(own):
                if (nearer[other] & own).sum() > 2 / 3 * nearer[other].sum():
                    expanded |= nearer[other]
            weights = np.exp(-apart[photo, expanded])
            encoded[photo, expanded] = weights / weights.sum()
        return encoded


def _reciprocal(order: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """(n, n) whether two photos are both among one another's k nearest; a photo is its own nearest."""
    import numpy as np

    among = np.zeros(order.shape, bool)
    np.put_along_axis(among, order[:, : k + 1], values=True, axis=1)
    reciprocal: NDArray[np.bool_] = among & among.T
    return reciprocal
