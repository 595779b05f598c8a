"""HDBSCAN: clusters are where encounters are dense, at whatever scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Clusterer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Hdbscan(Clusterer):
    """Density at every scale (scikit-learn's HDBSCAN); does not split what the cut already joins."""

    name = "hdbscan"
    smallest: int = Field(2, ge=2, description="encounters that make a cluster, at least")
    neighbours: int = Field(1, ge=1, description="how many near encounters a dense place needs")

    def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
        """Campello, Moulavi and Sander (2013), with Malzer and Baum's (2020) merging below the cut."""
        import numpy as np
        from sklearn.cluster import HDBSCAN

        if len(similarity) < max(self.smallest, self.neighbours + 1):
            return np.full(len(similarity), -1)
        # a pair that cannot be one animal is as far apart as two unit vectors can be
        distance = np.where(np.isneginf(similarity), 2.0, 1.0 - similarity.astype(np.float64))
        np.fill_diagonal(distance, 0)
        model = HDBSCAN(
            min_cluster_size=self.smallest,
            min_samples=self.neighbours,
            cluster_selection_epsilon=float(np.clip(1.0 - cut, 0, 2)),
            metric="precomputed",
            allow_single_cluster=True,
            copy=False,
        )
        return model.fit_predict(np.clip(distance, 0, 2)).astype(np.int64)  # type: ignore[no-any-return]
