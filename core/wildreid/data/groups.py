"""Sequences, groups and encounters: what was photographed together, so that it is never divided or matched.

The words are those of the project's evaluation rules. All is vectorised, and every name depends on the rows
alone, not on their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.duplicates import near_duplicates
from wildreid.data.frames import films_of
from wildreid.data.sets import Codes, Texts, both, codes, join, least
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters

Days = NDArray[np.datetime64]


def annotate(table: Table, settings: Encounters | None = None, *, group: str = "camera-date") -> Table:
    """Add the columns ``sequence``, ``group`` and ``encounter``.

    Where the data set brings a column ``encounter`` or ``sequence`` of its own, it is used as it is, and
    kept as ``given_encounter`` and ``given_sequence``: one identity in one given encounter is one encounter,
    apart from its other encounters even of that day; a given sequence is never divided. Only exact and near
    duplicates still join what they show. Rows of which the data set says nothing follow the rules below, among
    themselves.

    - ``sequence``: one camera, consecutive images at most ``settings.gap`` seconds apart; with
      ``settings.event`` also all of one ``event`` of the source. The frames of one film are one in any case; an
      image that has no date, or a day without a time, is one of its own.
    - ``encounter``: one identity at one camera on one local date; where no camera is known, one identity on
      one local date across folders. Images on both sides of midnight, an undated image with all images of
      its identity at its camera, frames of one film, exact duplicates, and near duplicates of one identity
      join one encounter.
    - ``group``: what a split never divides: one camera and one local date whatever animals it shows,
      together with all that shares an encounter, an identity and day, or a file with any of it. So a
      splitter that keeps groups whole cannot leak. `regroup` says which other units there are.

    Where the camera is missing, the source folder stands in for it: the column ``source`` where the data set
    gives one, else the image's folder. A row without identity has its group in place of an encounter. The
    columns ``content`` and ``phash`` (see `wildreid.data.fingerprints`) are used where they are there.

    Args:
        table: any table.
        settings: what counts as one sequence and encounter; None: as a recipe that does not say.
        group: as for `regroup`.
    """
    settings = settings or Encounters()
    rows = table.rows.assign(
        **{f"given_{name}": _given(table.rows, name) for name in ("encounter", "sequence")}
    )
    place = places(rows)
    at, who = codes(place), codes(rows["identity"])
    met_by, burst = codes(rows["given_encounter"]), codes(rows["given_sequence"])
    day, instant, film = days(rows), _instants(rows, at), codes(films_of(rows["image"]))
    dated = ~np.isnat(instant)
    timed = dated & ~_day_only(rows)
    order = _in_time(at, instant, timed)
    midnight = np.timedelta64(round(settings.midnight * 60e6), "us")

    base = _base(rows, place, day)
    event = codes(rows["event"]) if settings.event and "event" in rows else np.full(len(rows), -1, np.int64)
    linked = join(len(rows), [codes(base), event, burst], [_over_midnight(at, instant, day, order, midnight)])

    known = who >= 0
    made = known & (met_by < 0)  # the data set does not say which encounter it is
    wandering = made & dated & rows["camera"].isna().to_numpy()
    path = _in_time(who, instant, wandering & timed)
    keys = [
        both(who, linked, made),
        both(who, codes(_day_texts(day)), wandering),
        _beside_undated(who, at, dated, made & ((burst < 0) | dated)),
        both(who, film, made & (film >= 0)),
        both(who, met_by, known & (met_by >= 0)),
        both(who, burst, known & (burst >= 0)),
    ]
    edges = [_over_midnight(who, instant, day, path, midnight)]
    if "content" in rows:
        keys.append(both(who, codes(rows["content"]), known))
    if "phash" in rows and settings.near_duplicates:
        edges.append(near_duplicates(who, rows["phash"], bits=settings.bits))
    met = join(len(rows), keys, edges)

    given = _texts(rows["given_encounter"])
    meeting = least(met, np.where(pd.isna(given), base, given))
    sequence = _sequences(rows, settings.gap)
    sequence = least(join(len(rows), [codes(sequence), event, film]), sequence)
    rows = rows.assign(
        sequence=rows["given_sequence"].fillna(_text(sequence)),
        encounter=_text(_texts(rows["identity"].fillna("?")) + " | " + meeting),
    )
    whole = _closed(rows, linked, met)
    names = least(whole, base)
    rows["group"] = _text(names)
    rows.loc[~known, "encounter"] = "? | " + names[~known]
    annotated = table.with_rows(rows)
    return annotated if group == "camera-date" else regroup(annotated, group)


def _given(rows: pd.DataFrame, name: str) -> pd.Series[Any]:
    """What the data set says of it: kept from before, else its own column, whose name is then ours."""
    missing = pd.Series(pd.NA, index=rows.index, dtype="string")
    found = rows.get(f"given_{name}", rows.get(name, missing)).astype("string").str.strip()
    return found.mask(found == "")


def regroup(table: Table, group: str) -> Table:
    """The table with its ``group`` made of other units; encounters and sequences stay as they are.

    Args:
        table: annotated by `annotate`.
        group: ``camera-date`` (as it is), ``sequence``, ``day``, ``camera``, or a column of the table; a
            row where that is missing is a unit of its own. Whatever the unit, what shares an encounter, an
            identity and day, or a file stays in one group, since it would leak.

    Raises:
        UserError: there is no such unit and no such column.
    """
    rows = table.rows
    if group == "camera-date":
        return table
    if group == "sequence":
        unit = _texts(rows["sequence"])
    elif group == "day":
        unit = _day_texts(days(rows))
    elif group == "camera":
        unit = places(rows)
    elif group in rows.columns:
        unit = _texts(rows[group].astype("string"))
    else:
        raise UserError(
            f"there is nothing to group by named '{group}': the table has {', '.join(rows.columns)}",
            where="splitter.group",
            cure="choose camera-date, sequence, day, camera, or a column",
        )
    unit = np.where(pd.isna(unit), "alone@" + _texts(rows["id"]), unit)
    whole = _closed(rows, codes(unit), codes(rows["encounter"]))
    return table.with_rows(rows.assign(group=_text(least(whole, unit))))


def places(rows: pd.DataFrame) -> Texts:
    """The camera of each row; where it is missing, the source folder, which of a frame is its film's."""
    folder = films_of(rows["image"]).fillna(rows["image"]).str.replace(r"/?[^/]*$", "", regex=True)
    if "source" in rows:
        folder = rows["source"].astype("string").fillna(folder)
    return _texts(rows["camera"].fillna(folder))


def days(rows: pd.DataFrame) -> Days:
    """The local date of each row, NaT where it is not known."""
    return rows["timestamp"].to_numpy("datetime64[us]").astype("datetime64[D]")


def same_day(rows: pd.DataFrame) -> Codes:
    """A number for each identity and local date, -1 where either is missing."""
    day = codes(_day_texts(days(rows)))
    who = codes(rows["identity"])
    return both(who, day, (who >= 0) & (day >= 0))


def _closed(rows: pd.DataFrame, unit: Codes, encounter: Codes) -> Codes:
    """Units joined wherever dividing them would leak."""
    keys = [unit, encounter, same_day(rows), codes(rows["image"]), codes(films_of(rows["image"]))]
    if "content" in rows:
        keys.append(codes(rows["content"]))
    return join(len(rows), keys)


def _base(rows: pd.DataFrame, place: Texts, day: Days) -> Texts:
    """Camera and date; for an undated row the camera and what the data set says, or who it shows."""
    unknown = _texts(
        rows["given_encounter"]
        .fillna(rows["given_sequence"])
        .fillna(rows["identity"].astype("string"))
        .fillna(rows["image"])
    )
    return place + np.where(np.isnat(day), "@undated@" + unknown, "@" + _day_texts(day, missing=""))


def _sequences(rows: pd.DataFrame, gap: float) -> Texts:
    """Named by the place and the first moment; an image without a time is one of its own.

    Where the camera is not known, two makes or models in one folder are two cameras: their frames are no burst.
    """
    place = places(rows)
    for name in ("make", "model"):
        if name in rows:
            said = rows["camera"].isna() & rows[name].notna()
            place = np.where(said, place + " " + _texts(rows[name].fillna("")), place)
    at = codes(place)
    instant = _instants(rows, at)
    order = _in_time(at, instant, ~np.isnat(instant) & ~_day_only(rows))
    names, alone = np.empty(len(rows), object), np.ones(len(rows), bool)
    if len(order):
        pause = np.diff(instant[order]) > np.timedelta64(round(gap * 1e6), "us")
        begins = np.concatenate(([True], (np.diff(at[order]) != 0) | pause))
        first = order[begins]
        moment = np.datetime_as_string(instant[first], unit="s").astype(object)
        names[order] = (place[first] + "@" + moment)[np.cumsum(begins) - 1]
        alone[order] = False
    day = _day_texts(days(rows)[alone], missing="undated")
    names[alone] = place[alone] + "@" + day + "@" + _texts(rows["image"][alone])
    return names


def _over_midnight(
    key: Codes, instant: Days, day: Days, order: Codes, within: np.timedelta64
) -> tuple[Codes, Codes]:
    """Neighbours in time with one key, on two dates, at most so far apart."""
    a, b = order[:-1], order[1:]
    linked = (key[a] == key[b]) & (day[a] != day[b]) & (instant[b] - instant[a] < within)
    return a[linked], b[linked]


def _beside_undated(who: Codes, at: Codes, dated: NDArray[np.bool_], known: NDArray[np.bool_]) -> Codes:
    """One key for all images of an identity at a place where one of them has no date."""
    key = both(who, at, known)
    return np.where(np.isin(key, key[known & ~dated]), key, -1)


def _in_time(key: Codes, instant: Days, wanted: NDArray[np.bool_]) -> Codes:
    order = np.lexsort((instant, key))
    return order[wanted[order]]


def _instants(rows: pd.DataFrame, at: Codes) -> Days:
    """Moments to measure gaps by: universal time where all of a place's rows have their offset."""
    local = rows["timestamp"].to_numpy("datetime64[us]")
    if "utc_offset" not in rows:
        return local
    offset = pd.to_numeric(rows["utc_offset"]).astype("float64").to_numpy(na_value=np.nan)
    complete = ~np.isin(at, at[np.isnan(offset) & ~np.isnat(local)])
    minutes = np.where(complete & ~np.isnan(offset), offset, 0).astype("timedelta64[m]")
    return np.asarray(local - minutes)


def _day_only(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which dates are days without a time."""
    if "day_only" not in rows:
        return np.zeros(len(rows), bool)
    return rows["day_only"].fillna(False).to_numpy(bool)


def _day_texts(day: Days, missing: str | None = None) -> Texts:
    number, there = pd.factorize(day)  # each day is written once; a missing one is the last
    return np.append(np.datetime_as_string(there).astype(object), [missing])[number]


def _texts(values: pd.Series[Any]) -> Texts:
    return values.astype(object).where(values.notna(), None).to_numpy(object)


def _text(values: Texts) -> pd.Series[Any]:
    return pd.Series(values, dtype="string")
