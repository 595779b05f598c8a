"""Image accuracy@k: how often a photo of the right individual is among the k nearest photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class ImageAccuracyAtK(Metric):
    """Share of mated queries with an image of their individual among the k nearest images.

    Ties count against the model. Figures: ``image-accuracy@<k>``.
    """

    name = "image-accuracy-at-k"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 10), min_length=1, description="how many images are looked at"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query, 1 or 0."""
        import numpy as np

        ranking = evidence.ranking
        first = np.zeros(len(ranking.queries))
        first[ranking.mated] = ranking.true_ranks[ranking.true_offsets[:-1][ranking.mated]]
        return {f"image-accuracy@{k}": np.where(ranking.mated, first <= k, np.nan) for k in self.k}
