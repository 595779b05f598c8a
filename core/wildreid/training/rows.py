"""Which rows of a split table are learned from, and which choose the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.data.apart import SIDE
from wildreid.data.table import Table
from wildreid.errors import UserError

if TYPE_CHECKING:
    from wildreid.artefacts import Ints


def training_rows(table: Table) -> tuple[Ints, Ints]:
    """Rows of the train part that have an identity, and each one's class: 0 … classes - 1, sorted.

    Where sides are kept apart, each known side of an individual is a class of its own, and its photos of no
    known side are left out: they would pull the sides together, or be pushed from both.

    Raises:
        UserError: fewer than two identities.
    """
    rows = np.flatnonzero(
        (table["part"].eq("train") & table["identity"].notna()).to_numpy(bool, na_value=False)
    )
    classes = class_names(table).iloc[rows]
    rows, classes = rows[classes.notna().to_numpy()], classes[classes.notna()]
    names, labels = np.unique(classes.to_numpy(str), return_inverse=True)
    if len(names) < 2:
        raise UserError(
            f"the training part shows {len(names)} identities; at least two are needed",
            where="splitter",
            cure="give the splitter a larger training share, or the data set more individuals",
        )
    return rows.astype(np.int64), labels.astype(np.int64)


def class_names(table: Table) -> pd.Series[Any]:
    """What each row is learned as: its identity, and its side where sides are kept apart; missing: not at all."""
    rows = table.rows
    if SIDE not in rows:
        return rows["identity"]
    side = rows[SIDE]
    told = side.notna() & rows["part"].eq("train").fillna(False)
    sided = told.groupby(rows["identity"]).transform("any").fillna(False).astype(bool)
    named = rows["identity"].str.cat(side.fillna(""), sep=" ").str.rstrip()
    return named.where(side.notna() | ~sided, rows["identity"].where(~sided))


def validation_rows(table: Table, gallery: str) -> Ints:
    """Rows whose embeddings validation takes, in table order: val, with train where that is the gallery."""
    parts = ["val", "train"] if gallery == "train" else ["val"]
    return np.flatnonzero(table["part"].isin(parts).to_numpy(bool, na_value=False)).astype(np.int64)
