"""The metric ``sides``: does the network know left from right, and which animal it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Metric

from .animals import animal_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class Sides(Metric):
    """``side-confusion``: share of queries whose nearest photo shows the other flank; it should be small.

    ``animal-accuracy@1``: share of mated queries whose nearest individual is the right animal, with either
    flank.
    """

    name = "sides"

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a query; NaN where it does not count."""
        import numpy as np

        from wildreid.artefacts import Missing

        ranking, rows = evidence.ranking, evidence.table.rows
        answered = ranking.top[:, 0] >= 0
        named = np.array([animal_of(ranking.individuals[who]) for who in ranking.top[:, 0]])
        asked = np.array([animal_of(who) for who in rows["identity"].fillna("")[ranking.queries]])
        right = np.where(answered & ranking.mated, named == asked, np.nan)
        view = rows["viewpoint"].fillna("").to_numpy(dtype=str)
        here, there = view[ranking.queries], view[ranking.top_rows[:, 0]]
        known = answered & (here != "") & (there != "")
        if not known.any():
            confusion: NDArray[np.float64] | Missing = Missing("no photo says which side it shows")
        else:
            confusion = np.where(known, here != there, np.nan)
        return {"side-confusion": confusion, "animal-accuracy@1": right}
