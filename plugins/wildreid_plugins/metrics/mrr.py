"""Mean reciprocal rank of the right individual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class MRR(Metric):
    """Mean over mated queries of 1 / rank of the query's individual. Figure: ``mrr``."""

    name = "mrr"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query."""
        import numpy as np

        ranking = evidence.ranking
        return {"mrr": np.where(ranking.mated, 1 / np.maximum(ranking.own_rank, 1), np.nan)}
