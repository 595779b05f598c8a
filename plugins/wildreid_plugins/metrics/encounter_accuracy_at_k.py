"""Encounter accuracy@k: the photos of one encounter vote together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class EncounterAccuracyAtK(Metric):
    """Share of mated encounters whose individual is among the first k when its images vote.

    Each image gives the r-th individual of its list 1/r of a vote (reciprocal rank fusion: Cormack, Clarke
    and Büttcher 2009, with constant 0), so that an encounter of one image is judged as that image is. Equal
    votes count against the model. Lists are as long as the recipe's ``evaluation.keep``; an encounter whose
    individual is on none of them is a miss. Figures: ``encounter-accuracy@<k>``.
    """

    name = "encounter-accuracy-at-k"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 10), min_length=1, description="how many individuals are looked at"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value an encounter, at the first of its queries."""
        import numpy as np

        ranking = evidence.ranking
        kept = ranking.top.shape[1]
        mated = np.flatnonzero(ranking.mated)
        _, first, encounter = np.unique(evidence.encounters[mated], return_index=True, return_inverse=True)
        names = len(ranking.individuals)
        top = ranking.top[mated]
        ballots = encounter[:, None] * names + top
        shares = np.broadcast_to(1 / np.arange(1, kept + 1), top.shape)
        voted, place = np.unique(ballots[top >= 0], return_inverse=True)
        votes = np.bincount(place, shares[top >= 0], minlength=len(voted))
        on_list = ranking.own_rank[mated] <= kept
        own_share = np.where(on_list, 1 / np.maximum(ranking.own_rank[mated], 1), 0.0)
        own = np.bincount(encounter, own_share, minlength=len(first))
        # own votes are among those that are not smaller, hence the rank and not one less
        rank = np.bincount(voted // max(names, 1), votes >= own[voted // max(names, 1)] - 1e-9, len(first))
        figures: dict[str, float | NDArray[np.float64] | Missing] = {}
        for k in self.k:
            name = f"encounter-accuracy@{k}"
            if k > kept:
                figures[name] = Missing(f"only {kept} individuals were kept: set evaluation.keep to {k}")
                continue
            values = np.full(len(ranking.queries), np.nan)
            values[mated[first]] = (rank <= k) & (own > 0)
            figures[name] = values
        return figures
