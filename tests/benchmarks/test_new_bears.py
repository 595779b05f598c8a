from __future__ import annotations

import numpy as np
import pytest
from benchmarks.new_bears import Seen, less, rows


def seen(random: np.random.Generator, chance: float) -> Seen:
    names = np.repeat([f"bear{n:02}" for n in range(20)], 10)
    right = (random.random(200) < chance).astype(float)
    right[:3] = np.nan
    return Seen(names, right, right / 2)


def test_differences_are_over_all_runs_and_paired() -> None:
    random = np.random.default_rng(0)
    worse = [seen(random, 0.3) for _ in range(3)]
    better = [seen(random, 0.6) for _ in range(3)]
    value, low, high = less(better, worse, "right")
    pooled = [np.nanmean(np.concatenate([one.right for one in side])) for side in (better, worse)]
    assert value == pytest.approx(pooled[0] - pooled[1])
    assert 0 < low < value < high
    assert less(worse, worse, "precision") == (0, 0, 0)
    others = [Seen(one.names[::-1], one.right, one.precision) for one in worse]
    with pytest.raises(ValueError, match="different photos"):
        less(better, others, "right")


def test_the_first_row_is_the_sample_as_it_was() -> None:
    few, many = dict(rows(False)), dict(rows(True))
    assert list(few) == ["sample as it was", "sample"]
    assert len(many) == 2 + 2 * 4 * 5
    assert len({trial.name for trial in many.values()}) == len(many)
