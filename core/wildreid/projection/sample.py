"""Which photos a map shows, where there are more than it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints


def sample(rows: Ints, identity: NDArray[np.str_], *, most: int, seed: int) -> Ints:
    """At most `most` of these rows, each individual in turn giving one photo drawn at random.

    Args:
        rows: places in `identity`.
        identity: (rows of the table,) names; photos without one are taken for one more individual.
        most: how many at most.
        seed: of a generator of its own.
    """
    if len(rows) <= most:
        return rows
    import pandas as pd

    drawn = np.random.default_rng(seed).permutation(rows)
    turn = pd.Series(identity[drawn]).groupby(identity[drawn]).cumcount().to_numpy()
    return np.sort(drawn[np.argsort(turn, kind="stable")[:most]])
