"""Query expansion: the query is joined by its nearest candidates, and asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Reranker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class QueryExpansion(Reranker):
    """The mean of the query and its nearest candidates, each weighted by its similarity to the power alpha.

    Source: Radenović et al. 2019, "Fine-tuning CNN Image Retrieval with No Human Annotation", section 3.3.
    """

    name = "query-expansion"
    reach: int = Field(100, ge=2, description="candidates that are ordered again")
    nearest: int = Field(5, ge=1, description="candidates that join the query")
    alpha: float = Field(3.0, ge=0, description="power of the similarity by which they weigh")

    def rerank(self, *, query: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N,) cosine similarity to the joined query."""
        import numpy as np

        vectors = candidates.astype(np.float64)
        joining = vectors[: self.nearest]
        weights = np.maximum(joining @ query, 0) ** self.alpha
        joined = query + weights @ joining
        return vectors @ (joined / np.linalg.norm(joined))
