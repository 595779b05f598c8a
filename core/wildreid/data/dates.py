"""Dates and times as people write them: local wall-clock times, with their offset from UTC where it is known."""

from __future__ import annotations

from typing import Any

import pandas as pd

from wildreid.errors import UserError

FORMS = (
    "%Y:%m:%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%Y%m%d_%H%M%S", "%d.%m.%Y",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y",
    "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
)  # fmt: skip
"""Forms other than ISO 8601 that are recognised where one alone fits all values."""

WRITE_DATES = (
    "write them as 2017-07-19 21:09:05, leave unknown ones empty, or give their form in 'dates' "
    "(such as '%d.%m.%Y %H:%M')"
)
"""What to do about dates that cannot be read."""


def read_dates(
    values: pd.Series[Any], *, form: str | None = None, where: str = ""
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Local wall-clock times, and their offsets from UTC in minutes where they are written.

    ``2017-07-19T21:09:05-08:00`` is nine in the evening, 480 minutes behind UTC. EXIF's colons in a date
    are understood; a date that could be read in two ways is not guessed at.

    Raises:
        UserError: a value that is no date in that form.
    """
    local, offset, wrong = parse_dates(values, form=form)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(
            f"{int(wrong.sum())} dates cannot be read, such as {values.iloc[first]!r} in row {first + 1}",
            where=where,
            cure=WRITE_DATES,
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
            return local, pd.Series(pd.NA, index=values.index, dtype="Float64"), local.isna() & False
        offset = ((local - values.dt.tz_convert(None)) / pd.Timedelta(minutes=1)).astype("Float64")
        return local, offset, local.isna() & False
    text = values.astype("string").str.strip()
    text = text.mask(text == "")
    offset = pd.Series(pd.NA, index=values.index, dtype="Float64")
    if form is None:
        zone = text.str.extract(
            r"\d{2}:\d{2}[\d.:]*\s*(?P<sign>Z|[+-])(?P<hours>\d{2})?:?(?P<minutes>\d{2})?$"
        )
        zoned = zone["sign"].notna()
        minutes = pd.to_numeric(zone["hours"]).fillna(0) * 60 + pd.to_numeric(zone["minutes"]).fillna(0)
        offset = (minutes * zone["sign"].map({"-": -1}).fillna(1)).astype("Float64").where(zoned)
        text = text.where(~zoned, text.str.replace(r"\s*(Z|[+-]\d{2}:?(\d{2})?)$", "", regex=True))
        text = text.str.replace(r"^(\d{4}):(\d{2}):(\d{2})", r"\1-\2-\3", regex=True)
    local = pd.to_datetime(text, format=form or "ISO8601", errors="coerce")
    return local, offset, local.isna() & text.notna()


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
    some = known.head(50)
    fits = [form for form in FORMS if _fits(some, form)]
    fits = [form for form in fits if len(known) == len(some) or _fits(known, form)]
    return fits[0] if len(fits) == 1 else False


def _fits(values: pd.Series[Any], form: str) -> bool:
    return bool(pd.to_datetime(values, format=form, errors="coerce").notna().all())
