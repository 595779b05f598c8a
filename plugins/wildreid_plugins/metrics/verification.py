"""Verification: are these two photos of one animal?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.kinds import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence


class Verification(Metric):
    """Equal error rate, and true accepts at small false-accept rates, over pairs of query images.

    Pairs of one animal come from different encounters, except under image-loo; photos that are kept apart are no
    pair. All pairs are used up to ``pairs``; above it a sample of each sort is drawn, and ``verification-pairs``
    says how many pairs it was. ``eer`` is the smallest max(false accepts, false rejects) over all thresholds; ties
    count against the model.
    """

    name = "verification"
    pairs: int = Field(200_000, ge=1000, description="pairs of one and of two animals, each, at most")
    far: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.01, 0.001), description="false-accept rates at which true accepts are given"
    )

    def measure(self, *, evidence: Evidence) -> dict[str, float | NDArray[np.float64] | Missing]:
        """Figures over pairs of the query images."""
        import numpy as np

        from wildreid.data.pairs import draw_pairs, roc

        drawn = draw_pairs(evidence, most=self.pairs)
        names = [f"tar@far={far:g}" for far in self.far]
        if isinstance(drawn, Missing):
            return dict.fromkeys(["eer", *names], drawn)
        scores, same = drawn
        false, true = roc(scores, same)
        figures: dict[str, float | NDArray[np.float64] | Missing] = {
            "eer": float(np.maximum(false, 1 - true).min()),
            "verification-pairs": float(len(scores)),
        }
        for name, far in zip(names, self.far, strict=True):
            figures[name] = float(true[false <= far].max())
        return figures
