"""Dates and times as people write them: local wall-clock times, with their offset from UTC where it is known."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pandas as pd

from wildreid.errors import UserError

_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMS = (
    "%Y:%m:%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%Y%m%d_%H%M%S",
    *(day + time for day in _DAYS for time in _TIMES),
)  # fmt: skip
"""Forms other than ISO 8601 that are recognised where one alone fits all values."""

WRITE_DATES = (
    "write them as 2017-07-19 21:09:05, leave unknown ones empty, or give their form in 'dates' "
    "(such as '%d.%m.%Y %H:%M')"
)
"""What to do about dates that cannot be read."""

EXCEL, UNIX = "excel", "unix"
"""Forms that `strptime` has no word for: days since 1899-12-30, as Excel counts; seconds since 1970 in UTC."""

_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_UTC = r"\s?(?:Z|UTC|GMT)$"
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\s*\d.*)?|\d{8}(?:T\d.*)?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
_UNSET = ("1970-01-01", "1980-01-01", "1999-12-31", "2000-01-01")
"""Days that cameras begin with when their clock was never set."""
_OLDEST = pd.Timestamp("1990-01-01")


def read_dates(
    values: pd.Series[Any], *, form: str | None = None, where: str = ""
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Local wall-clock times, and their offsets from UTC in minutes where they are written.

    ``2017-07-19T21:09:05-08:00`` is nine in the evening, 480 minutes behind UTC. EXIF's colons in a date
    are understood; a date that could be read in two ways is not guessed at.

    Args:
        values: texts, moments or numbers; their index is what a message calls the row.
        form: for `strptime`, ``%z`` among it where zones are written; or ``excel``, or ``unix``, whose times
            are those of UTC. None: ISO 8601, or EXIF's form.
        where: for messages.

    Raises:
        UserError: a value that is no date in that form.
    """
    local, offset, wrong = parse_dates(values, form=form)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(
            f"{_many(int(wrong.sum()), 'date')} cannot be read, such as {values.iloc[first]!r} in row "
            f"{values.index[first]}",
            where=where,
            cure=how_to_read(values, form),
        )
    return local, offset


def parse_dates(
    values: pd.Series[Any], *, form: str | None = None
) -> tuple[pd.Series[Any], pd.Series[Any], pd.Series[bool]]:
    """As `read_dates`, and which values are no dates in that form: they are missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        zone = getattr(values.dt, "tz", None)
        local = values.dt.tz_localize(None)
        if zone is None:
            return local, _none(values), local.isna() & False
        offset = ((local - values.dt.tz_convert(None)) / pd.Timedelta(minutes=1)).astype("Float64")
        return local, offset, local.isna() & False
    text = values.astype("string").str.strip()
    text = text.mask(text == "")
    if form in (EXCEL, UNIX):
        local, offset = _counted(text, form)
    elif form is None:
        local, offset = _iso(text)
    else:
        local, offset = _zoned(text, form) if "%z" in form else (_parsed(text, form), _none(text))
    return local, offset, local.isna() & text.notna()


def _iso(text: pd.Series[Any]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """By ISO 8601 with a zone where one is written, or by EXIF's form."""
    zone = text.str.extract(r":\d{2}[\d.:]*" + _ZONE)["zone"]
    zone = zone.fillna(text.str.extract(r"T\d{4,6}(?:\.\d+)?" + _ZONE)["zone"])
    text = text.where(zone.isna(), text.str.replace(_ZONE, "", regex=True))
    text = text.str.replace(r"^(\d{4}):(\d{2}):(\d{2})", r"\1-\2-\3", regex=True)
    day = text.str.fullmatch(_ISO).fillna(False)  # 2023 or 2023-05 is no day
    hours = pd.to_numeric(zone.str[1:3], errors="coerce").fillna(0)
    minutes = hours * 60 + pd.to_numeric(zone.str[-2:].where(zone.str.len() > 3), errors="coerce").fillna(0)
    offset = (minutes * zone.str[0].map({"-": -1}).fillna(1)).astype("Float64").where(zone.notna())
    return _parsed(text.where(day), "ISO8601"), offset


def _zoned(text: pd.Series[Any], form: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """By a form with ``%z``; each value may have a zone of its own."""
    local, offset = {}, {}
    for value in text.dropna().unique():
        try:
            moment = datetime.strptime(re.sub(_UTC, " +0000", value), form)
        except ValueError:
            continue
        ahead = moment.utcoffset()
        local[value] = moment.replace(tzinfo=None)
        offset[value] = None if ahead is None else ahead.total_seconds() / 60
    return pd.to_datetime(text.map(local)), text.map(offset).astype("Float64")


def _counted(text: pd.Series[Any], form: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Days of Excel, or seconds of Unix (milliseconds where there are too many for that)."""
    number = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").astype("float64")
    if form == EXCEL:
        number = number.where(number.between(1, 2_958_465))
        moments = pd.to_datetime(number, unit="D", origin="1899-12-30", errors="coerce").dt.round("s")
        return moments, _none(text)
    seconds = number.where(number.abs() < 1e11, number / 1000)
    local = pd.to_datetime(seconds.where(seconds.abs() < 1e11), unit="s", errors="coerce").dt.round("ms")
    return local, pd.Series(0.0, index=text.index, dtype="Float64").where(local.notna())


def _parsed(text: pd.Series[Any], form: str) -> pd.Series[Any]:
    local: pd.Series[Any] = pd.to_datetime(text, format=form, errors="coerce")
    return local


def _none(text: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(pd.NA, index=text.index, dtype="Float64")


def how_to_read(values: pd.Series[Any], form: str | None = None) -> str:
    """How to have dates read that were not, as far as one can see: a cure for a message.

    Args:
        values: all of them, as they were written.
        form: the form that was given.
    """
    known = pd.Series(values.dropna().astype("string").str.strip().unique(), dtype="string")
    fits = fitting(known) if form is None else []
    if len(fits) > 1:
        return f"say in 'dates' which form they have: {' or '.join(map(repr, fits))}"
    for counted, low, high in ((EXCEL, 20_000, 80_000), (UNIX, 3e8, 5e9), (UNIX, 3e11, 5e12)):
        number = pd.to_numeric(known.str.replace(",", ".", regex=False), errors="coerce")
        if form is None and number.notna().all() and number.between(low, high).all():
            moment = _counted(known.head(1), counted)[0][0]
            what = "day numbers of Excel" if counted == EXCEL else "seconds of Unix, in UTC"
            return f"if they are {what} ({known[0]} would be {moment}), give 'dates: {counted}'"
    return WRITE_DATES


def days_alone(values: pd.Series[Any], local: pd.Series[Any]) -> pd.Series[Any]:
    """(rows,) whether a date has no time of day, so that it says nothing of bursts.

    So it is where none is written, and where all of a column's times are midnight, as programs write days.

    Args:
        values: as they were written.
        local: as `read_dates` gave them.
    """
    midnight = local.notna() & (local == local.dt.normalize())
    if midnight.sum() == local.notna().sum():
        return pd.Series(midnight, dtype=bool)
    written = values.astype("string").str.strip()
    short = written.str.fullmatch(r"[\d./-]{6,10}|\d{4}:\d{2}:\d{2}").fillna(False).astype(bool)
    return pd.Series(midnight & short, dtype=bool)


def are_clocks(values: pd.Series[Any]) -> bool:
    """Whether all values are times of day, such as 06:10 or 6:10:05 PM."""
    known = values.dropna().astype("string").str.strip()
    known = known[known != ""]
    return not known.empty and bool(known.str.fullmatch(_CLOCK).all())


def read_clocks(values: pd.Series[Any], *, where: str = "") -> pd.Series[Any]:
    """Times of day as spans since midnight, missing where nothing is written.

    Raises:
        UserError: a value that is none.
    """
    text = values.astype("string").str.strip()
    text = text.mask(text == "")
    found = text.str.extract(r"^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*([AaPp])?(?:\.?[Mm]\.?)?$")
    hour, minute, second = (pd.to_numeric(found[n]).astype("float64") for n in range(3))
    half = found[3].str.lower().map({"a": 0.0, "p": 12.0})
    hour = hour.where(half.isna(), hour.where(hour.between(1, 12)) % 12 + half.astype("float64"))
    right = hour.between(0, 23) & minute.between(0, 59) & second.fillna(0).between(0, 59.999999)
    wrong = text.notna() & ~(right & text.str.fullmatch(_CLOCK).fillna(False))
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(
            f"{_many(int(wrong.sum()), 'time')} of day cannot be read, such as {text.iloc[first]!r} in row "
            f"{text.index[first]}",
            where=where,
            cure="write them as 06:10 or 06:10:05, or leave unknown ones empty",
        )
    return pd.to_timedelta(hour * 3600 + minute * 60 + second.fillna(0), unit="s")


def doubts(local: pd.Series[Any], places: pd.Series[Any]) -> list[str]:
    """What dates say of clocks that were never set, in sentences.

    Args:
        local: local times.
        places: the camera of each, or what stands for it.
    """
    notes = []
    unset = local.dt.strftime("%Y-%m-%d").isin(_UNSET)
    for where, what in (
        (unset, "is a day that cameras begin with when their clock was not set"),
        (~unset & (local < _OLDEST), "is before 1990, when there was hardly a digital camera"),
        (local > pd.Timestamp.now() + pd.Timedelta(days=1), "is in the future"),
    ):
        if where.any():
            names = [str(name) for name in places[where].dropna().unique()]
            at = f" of {', '.join(names[:5])}" + (" …" if len(names) > 5 else "") if names else ""
            day = f"{local[where].iloc[0]:%Y-%m-%d}"
            notes.append(f"{int(where.sum())} of {len(local)} dates{at} may be wrong: {day} {what}")
    return notes


def guess_form(values: pd.Series[Any]) -> str | bool | None:
    """The `strptime` form of dates; None for ISO 8601; False where they are no dates, or could be two."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return None
    known = pd.Series(values.dropna().astype(str).str.strip().unique())
    known = known[known != ""]
    if known.empty:
        return False
    if known.str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?").all():
        iso = pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True)
        return None if iso.notna().all() else False
    local = known.str.replace(_ZONE, "", regex=True)
    zoned = bool((local != known).all())
    fits = fitting(local if zoned else known)
    if len(fits) != 1:
        return False
    return f"{fits[0]} %z" if zoned else fits[0]


def fitting(known: pd.Series[Any]) -> list[str]:
    """Those of `FORMS` that fit all of these texts; two where day and month could be either."""
    some = known.head(50)
    fits = [form for form in FORMS if _fits(some, form)]
    return [form for form in fits if len(known) == len(some) or _fits(known, form)]


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _fits(values: pd.Series[Any], form: str) -> bool:
    return bool(pd.to_datetime(values, format=form, errors="coerce").notna().all())
