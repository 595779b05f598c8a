"""k-shot accuracy: the right individual first, where the gallery has but k photos of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence, Missing


class KShot(Metric):
    """Accuracy@1 where the gallery has k photos of each individual, over all ways to draw them.

    Photos are drawn from those that the query may be matched to (all, where an individual has fewer than k). The
    figure is the mean over every possible draw, computed exactly: what many drawn galleries come near to. The
    interval is over individuals, as of any figure. It goes on telling models apart where accuracy@1 is near one
    because the next frame of the same film may answer. Ties count against the model. Figures: ``<k>-shot``.
    """

    name = "k-shot"
    k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 5), min_length=1, description="gallery photos of each individual"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """One value a mated query, between 0 and 1."""
        return {f"{k}-shot": evidence.few_shots(k) for k in self.k}
