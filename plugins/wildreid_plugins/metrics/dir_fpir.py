"""DIR and FPIR at the fitted threshold, as identification systems are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class DirFpir(Metric):
    """Detection and identification rate, and false positive identification rate, at the fitted threshold.

    ``dir@<k>`` is the share of mated queries with their individual among the first k and its score at or
    above the threshold; ``fpir`` the share of non-mated queries whose best score is (the convention of
    NIST's 1:N evaluations; OSCR is one against the other).
    """

    name = "dir-fpir"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1,), min_length=1, description="how many individuals are looked at"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query for DIR, one a non-mated query for FPIR."""
        import numpy as np

        ranking = evidence.ranking
        names = [*(f"dir@{k}" for k in self.k), "fpir"]
        if evidence.decision is None:
            return dict.fromkeys(names, Missing("no threshold was fitted"))
        threshold = evidence.decision.threshold
        found = ranking.own_score >= threshold
        values: list[NDArray[np.float64] | Missing] = [
            np.where(ranking.mated, found & (ranking.own_rank <= k), np.nan) for k in self.k
        ]
        if ranking.mated.all():
            values.append(Missing("there is no non-mated query"))
        else:
            values.append(np.where(ranking.mated, np.nan, ranking.first_score >= threshold))
        return dict(zip(names, values, strict=True))
