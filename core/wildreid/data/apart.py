"""What keeps two photos from being matched, whoever they show: the other flank, another species."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from wildreid.apart import PREFIX, apart_of
from wildreid.data.table import Table

SIDE, SPECIES = f"{PREFIX}side", f"{PREFIX}species"


def keep_apart(table: Table, by: Sequence[str]) -> Table:
    """The table with a column for each thing that keeps its rows apart; rank and training go by them.

    Args:
        table: any table; ``viewpoint`` tells the side, ``species`` the species.
        by: ``side``, ``species`` or both; species only where the table has two or more. An individual of which
            the table says two species is kept apart from nobody.
    """
    rows = table.rows.drop(columns=[name for name in table.rows if str(name).startswith(PREFIX)])
    if "side" in by:
        rows = rows.assign(**{SIDE: sides_of(rows["viewpoint"])})
    if "species" in by and "species" in rows:
        said = rows["species"].astype("string").str.strip()
        words = said.str.casefold().mask(said == "")
        twofold = words.groupby(rows["identity"]).transform("nunique").gt(1).fillna(False)
        if words.mask(twofold).nunique() > 1:
            first = said.groupby(words).transform("min")  # one spelling of each
            rows = rows.assign(**{SPECIES: first.mask(words.isna() | twofold)})
    return table.with_rows(rows)


def sides_of(viewpoint: pd.Series[Any]) -> pd.Series[Any]:
    """``left`` or ``right``, of whatever words a viewpoint is told by; missing for neither and for both.

    ``left``, ``L``, ``front-left`` and ``leftside`` are left; ``front``, ``up`` and ``left and right`` neither.
    """
    words = viewpoint.astype("string").str.strip().str.casefold()
    left = words.str.contains("left") | words.isin(["l", "lft", "lf"])
    right = words.str.contains("right") | words.isin(["r", "rgt", "rt"])
    side = pd.Series(pd.NA, index=viewpoint.index, dtype="string")
    side[(left & ~right).fillna(False)] = "left"
    side[(right & ~left).fillna(False)] = "right"
    return side


def words_of(rows: pd.DataFrame) -> str:
    """What keeps the rows apart, in words; empty where nothing does."""
    if apart_of(rows) is None:
        return ""
    words = {SIDE: "left and right", SPECIES: "species"}
    return " and ".join(word for name, word in words.items() if name in rows)


def lost(table: Table, part: str = "test") -> tuple[int, int]:
    """How many rows of the part have another encounter of their individual in it, and how many of them lose it.

    Lost are those that have none left since rows are kept apart.
    """
    rows = table.of_part(part)
    rows = rows[rows["identity"].notna()]
    apart = apart_of(rows)
    who, met = pd.factorize(rows["identity"])[0], pd.factorize(rows["encounter"])[0]
    mated = left = 0
    for some in pd.Series(np.arange(len(rows))).groupby(who).indices.values():
        places = np.asarray(some, np.int64)
        other = met[places][:, None] != met[places][None, :]
        near = other if apart is None else other & ~apart.banned(places, places)
        mated += int(other.any(axis=1).sum())
        left += int(near.any(axis=1).sum())
    return mated, mated - left
