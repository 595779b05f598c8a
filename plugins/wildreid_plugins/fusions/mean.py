"""The mean of calibrated probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Fusion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CalibratedMean(Fusion):
    """The mean of the probabilities that query and candidate are one animal, by embedding and by each matcher.

    Source: Cermak et al. 2024, "WildFusion: Individual Animal Identification with Calibrated Similarity Fusion",
    arXiv 2408.12934.
    """

    name = "calibrated-mean"

    def fuse(self, *, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) their mean."""
        mean: NDArray[np.float64] = probabilities.mean(axis=0)
        return mean
