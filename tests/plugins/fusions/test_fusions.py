from __future__ import annotations

import numpy as np
import pytest

from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.fusions.most import Maximum
from wildreid_plugins.fusions.reciprocal import ReciprocalRank

GIVEN = np.array([[0.9, 0.2, 0.2, 0.5], [0.1, 0.8, 0.3, 0.3]])


def test_the_mean_and_the_maximum() -> None:
    assert CalibratedMean().fuse(probabilities=GIVEN) == pytest.approx([0.5, 0.5, 0.25, 0.4])
    assert Maximum().fuse(probabilities=GIVEN) == pytest.approx([0.9, 0.8, 0.3, 0.5])


def test_reciprocal_ranks_share_a_tie() -> None:
    ranks = np.array([[1, 3, 3, 2], [4, 1, 2, 2]])
    assert ReciprocalRank(k=10).fuse(probabilities=GIVEN) == pytest.approx((11 / (10 + ranks)).mean(axis=0))
