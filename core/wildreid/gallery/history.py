"""Who was seen when, where and with whom: tables of encounters, individuals, stations and pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State


def encounters(state: State, *, coordinates: bool = False) -> pd.DataFrame:
    """One row for each encounter, by individual and time; undated ones last.

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
    """One row for each individual: ``individual``, ``images``, ``encounters``, ``first_seen``, ``last_seen``."""
    rows = present(state)
    table = rows.groupby("individual").agg(
        images=("key", "size"),
        encounters=("met", "nunique"),
        first_seen=("timestamp", "min"),
        last_seen=("timestamp", "max"),
    )
    return table.reset_index()


def by_station(state: State) -> pd.DataFrame:
    """One row for each individual and station, by individual and first seen.

    Where no station is known, the camera stands for it.

    Returns:
        ``individual``, ``station``, ``encounters``, ``images``, ``first_seen``, ``last_seen``.
    """
    rows = present(state)
    station = rows["camera"] if "station" not in rows else rows["station"].fillna(rows["camera"])
    rows = rows.assign(station=station.astype("string").fillna(""))
    table = rows.groupby(["individual", "station"]).agg(
        encounters=("visit", "nunique"),
        images=("key", "size"),
        first_seen=("timestamp", "min"),
        last_seen=("timestamp", "max"),
    )
    order = ["individual", "first_seen", "station"]
    return table.reset_index().sort_values(order, na_position="last", ignore_index=True)


def together(state: State, *, minutes: float = 10) -> pd.DataFrame:
    """Who was met with whom: one row for each pair that was seen before one camera within some minutes.

    Args:
        state: the gallery.
        minutes: apart at most; those on one photo are together whatever its date.

    Returns:
        ``individual``, ``other``, ``together`` (encounters in which they were), ``on_one_photo`` (photos),
        ``first``, ``last``, and ``ratio``: the share of the encounters of either in which both were (simple
        ratio index, Cairns and Schwager 1987), by the strongest first.
    """
    rows = present(state)
    met = rows.groupby("individual")["visit"].nunique()
    rows = rows[rows["visit"] != ""]
    pairs: dict[tuple[str, str], list[tuple[pd.Timestamp, int]]] = {}
    for _, own in rows.groupby("visit", sort=True):
        who = sorted(own["individual"].unique())
        for n, one in enumerate(who):
            for other in who[n + 1 :]:
                a, b = own[own["individual"] == one], own[own["individual"] == other]
                shared = len(set(a["image"]) & set(b["image"]))
                times = a["timestamp"].to_numpy("datetime64[s]"), b["timestamp"].to_numpy("datetime64[s]")
                gaps = np.abs(times[0][:, None] - times[1][None, :]) / np.timedelta64(1, "m")
                if shared or bool((gaps <= minutes).any()):
                    pairs.setdefault((one, other), []).append((a["timestamp"].min(), shared))
    table = pd.DataFrame(
        [
            {
                "individual": one,
                "other": other,
                "together": len(times),
                "on_one_photo": sum(shared for _, shared in times),
                "first": min(when for when, _ in times),
                "last": max(when for when, _ in times),
                "ratio": len(times) / (met[one] + met[other] - len(times)),
            }
            for (one, other), times in pairs.items()
        ],
        columns=["individual", "other", "together", "on_one_photo", "first", "last", "ratio"],
    )
    return table.sort_values(
        ["ratio", "individual", "other"], ascending=[False, True, True], ignore_index=True
    )


def present(state: State) -> pd.DataFrame:
    """The annotations that are in the gallery, with ``individual``, who it is now, and ``met``, its encounter."""
    there = state.codes != GONE
    names = np.asarray(state.individuals, object)[state.codes[there]]
    rows: pd.DataFrame = state.rows[there].reset_index(drop=True)
    rows["individual"] = pd.Series(names, dtype="string")
    rows["visit"] = rows["visit"].fillna("")
    rows["met"] = state.met[there]
    return rows
