"""Mean average precision over the whole ranking of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class AveragePrecision(Metric):
    """Mean over mated queries of the average precision of the full ranking of valid images.

    AP is the mean of i / r_i over the query's true images, r_i the rank of the i-th of them; ties count
    against the model. It is not cut off, and is divided by all true images, not by those found. Figure:
    ``map``.
    """

    name = "map"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query."""
        ranking = evidence.ranking
        return {"map": ranking.mean_over_true(ranking.true_positions / ranking.true_ranks)}
