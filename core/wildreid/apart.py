"""Which photos may not be matched, whoever they show, by the columns of a table that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from wildreid.artefacts import Ranking

    Ints = NDArray[np.int64]

PREFIX = "apart_"
"""Columns that begin so keep rows apart whose texts differ; a missing one matches all."""


@dataclass(frozen=True)
class Apart:
    """Which rows may be matched to which.

    Attributes:
        codes: (rows,) a number for each row: of its side and species together.
        allowed: (codes, codes) whether rows of two numbers may be matched.
    """

    codes: Ints
    allowed: NDArray[np.bool_]

    def may(self, rows: Ints, others: Ints) -> NDArray[np.bool_]:
        """Whether each row may be matched to the other beside it, or one row to each of the others."""
        found: NDArray[np.bool_] = self.allowed[self.codes[rows], self.codes[others]]
        return found

    def banned(self, queries: Ints, gallery: Ints) -> NDArray[np.bool_]:
        """(Q, G) whether a query row may not be matched to a gallery row."""
        rows: NDArray[np.bool_] = ~self.allowed[self.codes[queries]]
        return rows[:, self.codes[gallery]]

    def counted(self, queries: Ints, gallery: Ints) -> Ints:
        """(Q,) how many of the gallery's rows each query row may not be matched to."""
        there = np.bincount(self.codes[gallery], minlength=len(self.allowed))
        counted: Ints = ~self.allowed[self.codes[queries]] @ there
        return counted


def apart_of(rows: pd.DataFrame) -> Apart | None:
    """Which rows are kept apart by their columns; None where none are."""
    import pandas as pd

    columns = [name for name in rows if str(name).startswith(PREFIX)]
    if not columns:
        return None
    texts = rows[columns].astype("object")
    numbers = np.stack([pd.factorize(texts[name], sort=True)[0] for name in columns], axis=1)
    kinds, codes = np.unique(numbers, axis=0, return_inverse=True)
    a, b = kinds[:, None, :], kinds[None, :, :]
    allowed = ((a == b) | (a < 0) | (b < 0)).all(axis=2)
    if allowed.all():
        return None
    return Apart(codes.reshape(-1).astype(np.int64), allowed)


def own_encounter_masked(ranking: Ranking, apart: Apart | None) -> bool:
    """Whether a query's own encounter may not answer: more is masked than what is kept apart."""
    banned = 0 if apart is None else apart.counted(ranking.queries, ranking.gallery)
    return bool((ranking.masked > banned).any())
