"""Which rows are one animal in one photo: their ids, and why the others are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

BOX = ("box_left", "box_top", "box_width", "box_height")
ALONE = "another animal is on this photo, and no box tells them apart"
"""Why a row without a box is left out."""
_FAR = 1e6
"""Pixels beyond which no box lies."""


def identified(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Rows with their ``id``, and why a row cannot be used, None where it can.

    Args:
        rows: a plain index; ``image``, ``identity`` and the box, complete or missing.
    """
    box = rows[list(BOX)].astype("float64").to_numpy(na_value=np.nan)
    given = ~np.isnan(box)
    reason = pd.Series(None, index=rows.index, dtype="object")
    with np.errstate(invalid="ignore"):
        wrong = {
            "the box has no area": given.all(axis=1) & ~(box[:, 2:] > 0).all(axis=1),
            "the box lies beyond any photo": given.all(axis=1) & (np.abs(box) > _FAR).any(axis=1),
        }
    for row in np.flatnonzero(given.any(axis=1) & ~given.all(axis=1)).tolist():
        lacks = [name for name, there in zip(BOX, given[row], strict=True) if not there]
        reason[row] = f"half a box: {' and '.join(lacks)} {'is' if len(lacks) == 1 else 'are'} missing"
    for text, where in wrong.items():
        reason[where & reason.isna()] = text
    sound = reason.isna()
    rows.loc[sound, "id"] = _ids(rows[sound])
    own = rows[sound]
    again = own.duplicated(["id", "identity"])
    reason[own.index[again]] = "it is in an earlier row already"
    own = own[~again]
    many = own["id"].map(own["id"].value_counts())
    for row in own.index[many > 1]:
        boxed = "in one box" if given[row].any() else "on one photo without boxes"
        reason[row] = f"{many[row]} individuals {boxed}"
    whole = pd.Series(~given.any(axis=1), rows.index)[own.index] & (many == 1)
    for row in own.index[whole & own["image"].isin(own["image"][~whole])]:
        others = own["identity"][(own["image"] == own["image"][row]) & ~whole]
        if pd.isna(own["identity"][row]) or (others != own["identity"][row]).fillna(True).any():
            reason[row] = ALONE
    return rows, reason


def _ids(rows: pd.DataFrame) -> pd.Series[Any]:
    boxed = rows[list(BOX)].notna().all(axis=1)
    ids = rows["image"].copy()
    if boxed.any():
        numbers = rows.loc[boxed, list(BOX)].round().astype("int64").astype("string")
        text = numbers[BOX[0]].str.cat(numbers[list(BOX[1:])], sep=",")
        ids[boxed] = ids[boxed] + "#" + text
    return ids
