"""HDBSCAN: clusters are where encounters are dense, at whatever scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Clusterer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Hdbscan(Clusterer):
    """Density at every scale (scikit-learn's HDBSCAN); the cut only says what is no cluster at all."""

    name = "hdbscan"
    smallest: int = Field(2, ge=2, description="encounters that make a cluster, at least")
    neighbours: int = Field(1, ge=1, description="how many near encounters a dense place needs")

    def cluster(self, *, similarity: NDArray[np.float32], cut: float) -> NDArray[np.int64]:
        """Campello, Moulavi and Sander (2013).

        A cluster none of whose pairs reaches the cut is none. HDBSCAN never takes everything for one cluster:
        where it finds none and the mean pair reaches the cut, all are one.
        """
        import numpy as np
        from sklearn.cluster import HDBSCAN

        count, labels = len(similarity), np.full(len(similarity), -1)
        if count < max(2, self.smallest, self.neighbours + 1):
            return labels
        # a pair that cannot be one animal is as far apart as two unit vectors can be
        distance = np.clip(1.0 - similarity.astype(np.float64), 0, 2)
        np.fill_diagonal(distance, 0)
        model = HDBSCAN(
            min_cluster_size=self.smallest, min_samples=self.neighbours, metric="precomputed", copy=True
        )
        labels[:] = model.fit_predict(distance)
        if (labels < 0).all() and 1 - distance.sum() / (count * (count - 1)) >= cut:
            labels[:] = 0
        alike = similarity - 3 * np.eye(count, dtype=np.float32) >= cut
        for label in np.unique(labels[labels >= 0]):
            own = np.flatnonzero(labels == label)
            if not alike[np.ix_(own, own)].any():
                labels[own] = -1
        return labels
