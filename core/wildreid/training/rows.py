"""Which rows of a split table are learned from, and which choose the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wildreid.data.table import Table
from wildreid.errors import UserError

if TYPE_CHECKING:
    from wildreid.artefacts import Ints


def training_rows(table: Table) -> tuple[Ints, Ints]:
    """Rows of the train part that have an identity, and each one's class: 0 … classes - 1, sorted.

    Raises:
        UserError: fewer than two identities.
    """
    rows = np.flatnonzero(
        (table["part"].eq("train") & table["identity"].notna()).to_numpy(bool, na_value=False)
    )
    names, labels = np.unique(table["identity"].iloc[rows].to_numpy(str), return_inverse=True)
    if len(names) < 2:
        raise UserError(
            f"the training part shows {len(names)} identities; two are the least",
            where="splitter",
            cure="give the splitter a larger training share, or the data set more individuals",
        )
    return rows.astype(np.int64), labels.astype(np.int64)


def validation_rows(table: Table, gallery: str) -> Ints:
    """Rows whose embeddings validation takes, in table order: val, with train where that is the gallery."""
    parts = ["val", "train"] if gallery == "train" else ["val"]
    return np.flatnonzero(table["part"].isin(parts).to_numpy(bool, na_value=False)).astype(np.int64)
