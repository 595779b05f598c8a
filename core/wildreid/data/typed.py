"""A table's columns in their types; what is not of its column's type is refused with its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from wildreid.errors import UserError


def in_type(
    rows: pd.DataFrame, name: str, what: str, take: Callable[[pd.Series[Any]], pd.Series[Any]]
) -> pd.Series[Any]:
    """A column in its type.

    Args:
        rows: a table's.
        name: the column.
        what: a value of it, in words.
        take: to its type.

    Raises:
        UserError: a value that is not of it, with its row.
    """
    try:
        return take(rows[name])
    except (ValueError, TypeError):
        bad = next(row for row in rows.index if not _taken(rows.loc[[row], name], take))
        raise UserError(
            f"the column '{name}' holds {rows[name][bad]!r}, not {what}",
            where=f"row {int(rows['table_row'][bad]) if 'table_row' in rows else bad + 1}",
            cure="correct it, leave it empty, or give the column another name if it means something else",
        ) from None


def _taken(value: pd.Series[Any], take: Callable[[pd.Series[Any]], pd.Series[Any]]) -> bool:
    try:
        take(value)
    except (ValueError, TypeError):
        return False
    return True


def flags(values: pd.Series[Any]) -> pd.Series[Any]:
    """True, false or missing, from the words for them."""
    words = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    said = values.astype("string").str.strip().str.lower()
    said = said.mask(said == "")
    if not said.dropna().isin(list(words)).all():
        raise ValueError("a word that is neither true nor false")
    return said.map(words).astype("boolean")
