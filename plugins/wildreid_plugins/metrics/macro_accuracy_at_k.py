"""Macro accuracy@k: every individual counts alike, however often it was photographed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class MacroAccuracyAtK(Metric):
    """Mean over individuals of the accuracy@k of each one's mated queries.

    Figures: ``macro-accuracy@<k>``.
    """

    name = "macro-accuracy-at-k"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 10), min_length=1, description="how many individuals are looked at"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value an individual, at the first of its queries."""
        ranking = evidence.ranking
        return {
            f"macro-accuracy@{k}": evidence.by_individual(ranking.own_rank <= k, ranking.mated)
            for k in self.k
        }
