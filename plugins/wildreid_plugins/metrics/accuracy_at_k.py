"""Accuracy@k: how often the right individual is among the first k."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class AccuracyAtK(Metric):
    """Share of mated queries whose individual is among the first k individuals: the headline.

    Ties count against the model. Figures: ``accuracy@<k>``.
    """

    name = "accuracy-at-k"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 10), min_length=1, description="how many individuals are looked at"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query, 1 or 0."""
        import numpy as np

        ranking = evidence.ranking
        return {f"accuracy@{k}": np.where(ranking.mated, ranking.own_rank <= k, np.nan) for k in self.k}
