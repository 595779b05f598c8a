"""Accuracy@1 by what differs between queries: camera, year, time apart, encounters, viewpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.apart import apart_of, own_encounter_masked
from wildreid.data.apart import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence

FEW = 20
DAYS = {0: "same day", 7: "1 to 7", 30: "8 to 30", 365: "31 to 365", np.inf: "over 365"}
ENCOUNTERS = {1: "1", 2: "2", 4: "3 to 4", 9: "5 to 9", np.inf: "10 or more"}


def slices(evidence: Evidence) -> list[dict[str, Any]]:
    """Accuracy@1 of mated queries by slice.

    Each is ``{"by": "camera", "value": …, "n": …, "accuracy@1": …, "too_few": n < 20}``.
    """
    ranking = evidence.ranking
    rows = evidence.table.rows.iloc[ranking.queries]
    days, encounters, _ = nearest(evidence)
    columns: dict[str, Any] = {
        "camera": rows["camera"].to_numpy(dtype=object),
        "year": rows["timestamp"].dt.year.to_numpy(dtype=object),
        "days since the nearest gallery image": _binned(days, DAYS),
        "gallery encounters": _binned(encounters, ENCOUNTERS),
        "viewpoint": rows["viewpoint"].to_numpy(dtype=object),
    }
    if SIDE in rows:
        columns["side"] = rows[SIDE].fillna("unknown").to_numpy(dtype=object)
        columns["matches of the other side, left out"] = _other_side(evidence)
    right = pd.Series(ranking.own_rank == 1)[ranking.mated]
    found = []
    for by, values in columns.items():
        kept = pd.Series(values, dtype=object)[ranking.mated]
        known = kept.notna()
        order = {name: at for at, name in enumerate((*DAYS.values(), *ENCOUNTERS.values()))}
        groups = sorted(set(kept[known]), key=lambda value: (order.get(value, -1), str(value)))
        for value in groups:
            hits = right[known & (kept == value)]
            found.append(
                {
                    "by": by,
                    "value": str(int(value)) if by == "year" else str(value),
                    "n": len(hits),
                    "accuracy@1": float(hits.mean()),
                    "too_few": len(hits) < FEW,
                }
            )
    return found


def _binned(values: NDArray[np.float64], bins: dict[Any, str]) -> NDArray[np.object_]:
    """The name of the first bin whose upper edge is not passed; None for NaN."""
    names = np.array([*bins.values(), None], dtype=object)
    at = np.searchsorted(list(bins), values)
    return names[np.where(np.isfinite(values), at, len(bins))]


def nearest(evidence: Evidence) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(Q,) days to the nearest valid gallery image of the query's individual; its valid encounters and images.

    Days are whole local dates apart; NaN where the query is not mated, or for days where no date is known.
    """
    ranking, rows = evidence.ranking, evidence.table.rows
    whole_days = rows["timestamp"].dt.normalize().to_numpy().astype("datetime64[D]")
    day = np.where(np.isnat(whole_days), np.nan, whole_days.astype(np.int64).astype(float))
    encounter = pd.factorize(rows["encounter"])[0]
    apart = apart_of(rows)
    across = own_encounter_masked(ranking, apart)
    days = np.full(len(ranking.queries), np.nan)
    encounters = np.full(len(ranking.queries), np.nan)
    images = np.full(len(ranking.queries), np.nan)
    identity = rows["identity"].fillna("").to_numpy(dtype=str)
    gallery_of = pd.Series(ranking.gallery).groupby(identity[ranking.gallery]).indices
    asked = pd.Series(np.flatnonzero(ranking.mated)).groupby(identity[ranking.queries[ranking.mated]])
    for who, positions in asked:
        own = ranking.gallery[gallery_of[who]]
        for q in positions:
            row = ranking.queries[q]
            valid = own[(own != row) & ~(across & (encounter[own] == encounter[row]))]
            if apart is not None:
                valid = valid[apart.may(row, valid)]
            encounters[q] = len(np.unique(encounter[valid]))
            images[q] = len(valid)
            between = np.abs(day[valid] - day[row])
            if np.isfinite(between).any():
                days[q] = np.nanmin(between)
    return days, encounters, images


def _other_side(evidence: Evidence) -> NDArray[np.object_]:
    """(Q,) whether images of the query's individual were left out since they show its other side: none, some."""
    ranking, rows = evidence.ranking, evidence.table.rows
    apart = apart_of(rows)
    across = own_encounter_masked(ranking, apart)
    found = np.full(len(ranking.queries), "none", dtype=object)
    if apart is None:
        return found
    encounter = pd.factorize(rows["encounter"])[0]
    who = pd.factorize(rows["identity"])[0]
    of_gallery = pd.Series(ranking.gallery).groupby(who[ranking.gallery]).indices
    for q, row in enumerate(ranking.queries):
        own = ranking.gallery[of_gallery.get(who[row], [])]
        other = own[~(across & (encounter[own] == encounter[row]))]
        if not apart.may(row, other).all():
            found[q] = "some"
    return found
