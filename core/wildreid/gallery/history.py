"""Who was seen when: a table of encounters, and one of individuals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wildreid.gallery.state import GONE, State


def encounters(state: State, *, coordinates: bool = False) -> pd.DataFrame:
    """One row an encounter, by individual and time; undated ones last.

    Args:
        state: the gallery.
        coordinates: add ``latitude`` and ``longitude``, the mean over its images. They are left out unless
            asked for: where a rare animal lives is not for everybody.

    Returns:
        ``individual``, ``encounter`` (camera and first date), ``camera``, ``first``, ``last``, ``images``.
    """
    rows = present(state)
    grouped = rows.groupby(["individual", "met"])
    table = grouped.agg(
        encounter=("visit", "min"),
        camera=("camera", "first"),
        first=("timestamp", "min"),
        last=("timestamp", "max"),
        images=("key", "size"),
    )
    if coordinates:
        table["latitude"] = grouped["latitude"].mean()
        table["longitude"] = grouped["longitude"].mean()
    table = table.reset_index().drop(columns="met")
    order = ["individual", "first", "encounter"]
    ordered: pd.DataFrame = table.sort_values(order, na_position="last", ignore_index=True)
    return ordered


def individuals(state: State) -> pd.DataFrame:
    """One row an individual: ``individual``, ``images``, ``encounters``, ``first_seen``, ``last_seen``."""
    rows = present(state)
    table = rows.groupby("individual").agg(
        images=("key", "size"),
        encounters=("met", "nunique"),
        first_seen=("timestamp", "min"),
        last_seen=("timestamp", "max"),
    )
    return table.reset_index()


def present(state: State) -> pd.DataFrame:
    """The annotations that are in the gallery, with ``individual``, who it is now, and ``met``, its encounter."""
    there = state.codes != GONE
    names = np.asarray(state.individuals, object)[state.codes[there]]
    rows: pd.DataFrame = state.rows[there].reset_index(drop=True)
    rows["individual"] = pd.Series(names, dtype="string")
    rows["visit"] = rows["visit"].fillna("")
    rows["met"] = state.met[there]
    return rows
