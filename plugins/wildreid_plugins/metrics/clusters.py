"""Clusters: whether the embeddings fall apart into the individuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class Clusters(Metric):
    """ARI, AMI, NMI and B³ of a clustering of the query embeddings, told how many individuals there are.

    Average linkage of cosine distances, cut at the true number of individuals; at most ``most`` images, drawn
    at random, of known identity. ``clustered-images`` says how many it was. Bursts are not masked, which
    flatters all four; nor are photos that are kept apart.
    """

    name = "clusters"
    most: int = Field(2000, ge=10, le=20_000, description="images clustered, at most")

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """Figures over the clustered images."""
        import numpy as np
        from sklearn import metrics
        from sklearn.cluster import AgglomerativeClustering

        rows = evidence.ranking.queries[evidence.known]
        if len(rows) > self.most:
            rows = np.random.default_rng(evidence.seed).choice(rows, self.most, replace=False)
        names, truth = np.unique(evidence.table["identity"].iloc[rows].to_numpy(str), return_inverse=True)
        if len(names) < 2 or len(names) == len(rows):
            reason = "needs two individuals, and one with two images"
            return dict.fromkeys(("ari", "ami", "nmi", "b-cubed"), Missing(reason))
        clustering = AgglomerativeClustering(len(names), metric="cosine", linkage="average")
        found = clustering.fit_predict(np.asarray(evidence.embeddings[rows], dtype=float))
        together = metrics.cluster.contingency_matrix(truth, found)
        # B³ (Bagga and Baldwin 1998): precision and recall of each image's own cluster
        precision = (together**2 / together.sum(axis=0)).sum() / len(rows)
        recall = (together**2 / together.sum(axis=1, keepdims=True)).sum() / len(rows)
        return {
            "ari": float(metrics.adjusted_rand_score(truth, found)),
            "ami": float(metrics.adjusted_mutual_info_score(truth, found)),
            "nmi": float(metrics.normalized_mutual_info_score(truth, found)),
            "b-cubed": float(2 * precision * recall / (precision + recall)),
            "clustered-images": float(len(rows)),
        }
