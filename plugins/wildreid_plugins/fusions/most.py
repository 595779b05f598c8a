"""The largest of calibrated probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Fusion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Maximum(Fusion):
    """The largest of the probabilities: one score that is sure is enough."""

    name = "maximum"

    def fuse(self, *, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) their maximum."""
        most: NDArray[np.float64] = probabilities.max(axis=0)
        return most
