"""The table of deployments: which camera stood where, from when to when, and when it did not work."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from wildreid.errors import UserError
from wildreid.population.locations import decimals

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUIRED = ("station", "start", "end")
NUMBERS = ("latitude", "longitude", "coordinate_uncertainty", "x", "y")
KNOWN = ("deployment", "station", "camera", "start", "end", *NUMBERS)
Period = tuple[pd.Timestamp, pd.Timestamp]


def read_deployments(path: Path, *, timezone: str = "") -> pd.DataFrame:
    """Read ``deployments.csv``; see `deployments_of`.

    Raises:
        UserError: there is no such file; it is not a CSV in UTF-8; what `deployments_of` says.
    """
    try:
        table = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"it cannot be read: {error}", where=str(path), cure="write CSV in UTF-8") from None
    return deployments_of(table, timezone=timezone, where=str(path))


def deployments_of(table: pd.DataFrame, *, timezone: str = "", where: str = "deployments") -> pd.DataFrame:
    """Check a table of deployments and complete it.

    Args:
        table: ``station``, ``start``, ``end``, as texts; where known ``deployment``, ``camera``, ``x`` and ``y``
            in metres or ``latitude`` and ``longitude`` in degrees, ``coordinate_uncertainty`` in metres,
            ``problem1_from``, ``problem1_to`` and so on. Other columns are covariates of the station.
        timezone: of the cameras' clocks, such as ``Europe/Brussels``; times with a zone are turned into it.
        where: for messages.

    Returns:
        the columns above, with ``start`` and ``end`` as local wall-clock time, ``start_offset`` and
        ``end_offset`` in minutes or missing, and ``periods``: the half-open spans in which the camera worked.
        ``attrs["decimals"]``: of the coordinates as they were written.

    Raises:
        UserError: a column or value is missing or cannot be read; an end is not after its start; two
            deployments of one camera overlap; a position is given for some stations alone.
    """
    _check_columns(table, where)
    table = table.astype("string").fillna("").reset_index(drop=True)
    zone = zone_of(timezone)
    rows = []
    for at, given in enumerate(table.to_dict("records")):
        place = f"{where}, row {at + 1}"
        one: dict[str, Any] = {str(name): value.strip() for name, value in given.items()}
        row: dict[str, Any] = {name: value for name, value in one.items() if not _problem(name)}
        if not one["station"]:
            raise UserError("it names no station", where=place)
        for name in ("start", "end"):
            if not one[name]:
                raise UserError(
                    f"the {name} is missing, so it is not known how long this camera worked",
                    where=place,
                    cure="write when it was put up or taken down, or when its last photo was taken",
                )
            row[name], row[f"{name}_offset"] = local_time(one[name], zone, place)
        if row["end"] <= row["start"]:
            raise UserError(
                f"it ends at {row['end']}, which is not after its start {row['start']}", where=place
            )
        row["periods"] = _periods(row["start"], row["end"], one, zone, place)
        for name in NUMBERS:
            row[name] = _number(one.get(name, ""), name, place)
        row["camera"] = one.get("camera") or one["station"]
        row["deployment"] = one.get("deployment") or ""
        rows.append(row)
    found = _named(pd.DataFrame(rows))
    _check_overlaps(found, where)
    _check_places(found, where)
    texts = [value for name in ("latitude", "longitude") if name in table for value in table[name]]
    found.attrs["decimals"] = decimals(texts)
    return found


def zone_of(timezone: str) -> ZoneInfo | None:
    """The zone of this name; None for an empty one.

    Raises:
        UserError: there is none of this name.
    """
    if not timezone:
        return None
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise UserError(
            f"there is no time zone '{timezone}'", cure="write it as Europe/Brussels or Etc/GMT-2"
        ) from None


def local_time(text: str, zone: ZoneInfo | None, where: str) -> tuple[pd.Timestamp, int | None]:
    """A time in ISO 8601 as wall-clock time, and its offset from UTC in minutes where it is known."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"'{text}' is no time",
            where=where,
            cure="write 2024-05-01T12:00:00, with +02:00 where you know it",
        ) from None
    if when.tzinfo is not None and zone is not None:
        when = when.astimezone(zone)
    elif zone is not None:
        when = when.replace(tzinfo=zone)
    offset = when.utcoffset()
    plain = pd.Timestamp(when.replace(tzinfo=None)).as_unit("us")
    return plain, None if offset is None else round(offset / timedelta(minutes=1))


def _check_columns(table: pd.DataFrame, where: str) -> None:
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        there = ", ".join(map(str, table.columns))
        raise UserError(f"it has no column {' and no column '.join(missing)}; it has {there}", where=where)
    if not len(table):
        raise UserError("it has no rows", where=where)
    if "session" in table and table["session"].nunique() > 1:
        raise UserError(
            "it holds several sessions, and a survey is one",
            where=where,
            cure="take one after another, by their dates (`since=…`, `until=…`), each into a folder of its own",
        )


def _problem(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"problem(\d+)_(from|to)", name, re.IGNORECASE)


def _periods(
    start: pd.Timestamp, end: pd.Timestamp, one: dict[str, str], zone: ZoneInfo | None, where: str
) -> tuple[Period, ...]:
    """[start, end) without the problems, which may overlap; what lies outside is cut off."""
    bad: list[Period] = []
    numbers = sorted({int(found[1]) for name in one if (found := _problem(name))})
    lower = {name.lower(): value for name, value in one.items()}
    for number in numbers:
        first, last = (lower.get(f"problem{number}_{side}", "") for side in ("from", "to"))
        if not first and not last:
            continue
        if not first or not last:
            raise UserError(f"problem {number} lacks its {'end' if first else 'start'}", where=where)
        low, high = local_time(first, zone, where)[0], local_time(last, zone, where)[0]
        if high <= low:
            raise UserError(
                f"problem {number} ends at {high}, which is not after its start {low}", where=where
            )
        bad.append((low, high))
    good, at = [], start
    for low, high in sorted(bad):
        if low > at:
            good.append((at, min(low, end)))
        at = max(at, high)
        if at >= end:
            break
    if at < end:
        good.append((at, end))
    return tuple(period for period in good if period[1] > period[0])


def _number(text: str, name: str, where: str) -> float:
    if not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{name} is '{text}', which is no number", where=where) from None
    limit = {"latitude": 90, "longitude": 180}.get(name, float("inf"))
    if not abs(value) <= limit or (name == "coordinate_uncertainty" and value <= 0):
        raise UserError(f"{name} is {text}, which cannot be", where=where)
    return value


def _named(found: pd.DataFrame) -> pd.DataFrame:
    """A name for each deployment that has none: its station, numbered where that has several."""
    empty = found["deployment"] == ""
    count = found.groupby("station")["station"].transform("size")
    number = found.groupby("station").cumcount() + 1
    made = found["station"].where(count == 1, found["station"] + "-" + number.astype("string"))
    found["deployment"] = found["deployment"].where(~empty, made)
    if (twice := found["deployment"].duplicated()).any():
        raise UserError(
            f"two deployments are named '{found.loc[twice, 'deployment'].iloc[0]}'",
            where="deployments",
            cure="give each its own name",
        )
    order: Sequence[str] = [*KNOWN, *(str(name) for name in found if name not in KNOWN)]
    return found[order]


def _check_overlaps(found: pd.DataFrame, where: str) -> None:
    for camera, own in found.groupby("camera"):
        stands = sorted(zip(own["start"], own["end"], own.index.to_numpy(int), strict=True))
        for (_, ends, one), (starts, end, other) in pairwise(stands):
            if starts < ends:
                raise UserError(
                    f"camera '{camera}' is in two places at once: rows {one + 1} and {other + 1} "
                    f"overlap from {starts} to {min(ends, end)}",
                    where=where,
                    cure="correct the times; where these are two cameras, name them in a column camera",
                )


def _check_places(found: pd.DataFrame, where: str) -> None:
    for pair in (("x", "y"), ("latitude", "longitude")):
        there = found[list(pair)].notna()
        if there.any(axis=None) and not there.all(axis=None):
            bad = int(there.all(axis=1).to_numpy().argmin())
            raise UserError(
                f"{' and '.join(pair)} are given for other rows, not here", where=f"{where}, row {bad + 1}"
            )
        if there.all(axis=None) and (found.groupby("station")[list(pair)].nunique() > 1).any(axis=None):
            name = found.groupby("station")[list(pair)].nunique().max(axis=1).idxmax()
            raise UserError(
                f"station '{name}' has two positions",
                where=where,
                cure="give a station one position, or two places two names",
            )
