"""R-precision: the share of true images among as many as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class RPrecision(Metric):
    """Mean over mated queries of the share of true images among the first R, R being their number.

    Figure: ``r-precision``.
    """

    name = "r-precision"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query."""
        import numpy as np

        ranking = evidence.ranking
        counts = np.diff(ranking.true_offsets)
        return {"r-precision": ranking.mean_over_true(ranking.true_ranks <= np.repeat(counts, counts))}
