"""Average linkage, cut where two encounters are as likely one animal as not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Clusterer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# so far below any cosine that no average over a cluster that holds it reaches the cut
NEVER = 1e6


class AverageLinkage(Clusterer):
    """Merge the two nearest clusters, by the mean over their pairs, until none are nearer than the cut."""

    name = "average-linkage"
    cut: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="similarity to stop at; null: where a merge's calibrated probability is 1/2",
    )

    def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
        """Sokal and Michener (1958); a chain of look-alikes does not merge, since its ends lower the mean."""
        import numpy as np
        from scipy.cluster.hierarchy import fcluster, linkage
        from scipy.spatial.distance import squareform

        if len(similarity) < 2:
            return np.full(len(similarity), -1)
        distance = np.where(np.isneginf(similarity), NEVER, 1.0 - similarity.astype(np.float64))
        np.fill_diagonal(distance, 0)
        tree = linkage(squareform(np.maximum(distance, 0), checks=False), method="average")
        height = 1.0 - (cut if self.cut is None else self.cut)
        return fcluster(tree, height, criterion="distance").astype(np.int64)  # type: ignore[no-any-return]
