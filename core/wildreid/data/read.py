"""Read a table of annotations from a CSV or Parquet file: identities stay text, time zones are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.data.table import BOX, Failure, Table
from wildreid.errors import UserError

TEXTS = ("image", "identity", "camera", "timestamp", "viewpoint", "part", "role", "source")


def read_table(
    file: Path,
    root: Path,
    *,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    named: bool = True,
) -> Table:
    """Read a CSV or Parquet file with a row an annotation.

    Args:
        file: ends in ``.csv`` or ``.parquet``.
        root: the folder that image paths are relative to.
        columns: the file's name for a column of ours: ``{"image": "path", "timestamp": "date"}``.
        dates: the `strptime` form of timestamps; None: ISO 8601, or EXIF's own form.
        named: whether the column ``identity`` must be there; if not, nobody is known where it is missing.

    Returns:
        A table; columns that we do not know are kept; rows without an image are among its failures.

    Raises:
        UserError: a file that is not there or not readable, a column that is missing, a date or a box that
            is none, and what `Table.of` refuses.
    """
    rows = _rows(file, dict(columns or {}))
    for ours, theirs in (columns or {}).items():
        if theirs not in rows:
            raise UserError(
                f"the table has no column '{theirs}' to take as '{ours}'; it has {', '.join(rows.columns)}",
                where=str(file),
            )
    rows = rows.rename(columns={theirs: ours for ours, theirs in (columns or {}).items()})
    if not named and "identity" not in rows:
        rows["identity"] = pd.NA
    if "image" in rows:
        empty = rows["image"].isna()
        failures = [Failure("", "the row names no image", row=int(row) + 1) for row in rows.index[empty]]
        rows = rows[~empty].reset_index(drop=True)
    else:
        failures = []
    if "timestamp" in rows:
        rows["timestamp"], offset = read_dates(rows["timestamp"], form=dates, where=str(file))
        if offset.notna().any():
            rows["utc_offset"] = offset
    for name in BOX:
        if name in rows:
            rows[name] = _numbers(rows[name], name, file)
    try:
        return Table.of(rows, root.absolute(), failures)
    except UserError as error:
        place = f"{file}, {error.where}" if error.where else str(file)
        raise UserError(error.what, where=place, cure=error.cure) from None


SYNONYMS = {
    "image": ("path", "file", "filename", "file_name", "image_path", "img"),
    "identity": ("individual", "label", "name", "individual_id", "id_individual", "animal"),
    "part": ("split", "subset", "set", "fold"),
    "timestamp": ("date", "datetime", "time", "date_time", "taken"),
    "camera": ("station", "camera_id", "location"),
}
"""What others call our columns."""


def guess_columns(file: Path) -> dict[str, str]:
    """Which column of a CSV or Parquet file is meant by each of ours, by its name.

    Raises:
        UserError: a file that is not there or not readable.
    """
    named = {str(name).strip().lower(): str(name) for name in _rows(file, {}).columns}
    found = {}
    for ours, theirs in SYNONYMS.items():
        match = next((named[name] for name in (ours, *theirs) if name in named), None)
        if match is not None and match != ours:
            found[ours] = match
    return found


_PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


def read_parts(values: pd.Series[Any], words: Mapping[str, str] | None = None) -> pd.Series[Any]:
    """Train, val and test as others write them, missing for any other word.

    Args:
        values: such as ``Training``, ``valid``.
        words: more of them: ``{"seen": "train"}``.
    """
    known = {**_PARTS, **{word.lower(): part for word, part in (words or {}).items()}}
    return values.astype("string").str.strip().str.lower().map(known).astype("string")


def read_dates(
    values: pd.Series[Any], *, form: str | None = None, where: str = ""
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Local wall-clock times, and their offsets from UTC in minutes where they are written.

    ``2017-07-19T21:09:05-08:00`` is nine in the evening, 480 minutes behind UTC. EXIF's colons in a date
    are understood; a date that could be read in two ways is not guessed at.

    Raises:
        UserError: a value that is no date in that form.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        zone = getattr(values.dt, "tz", None)
        local = values.dt.tz_localize(None)
        if zone is None:
            return local, pd.Series(pd.NA, index=values.index, dtype="Float64")
        return local, ((local - values.dt.tz_convert(None)) / pd.Timedelta(minutes=1)).astype("Float64")
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
    wrong = local.isna() & text.notna()
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(
            f"{int(wrong.sum())} dates cannot be read, such as {values.iloc[first]!r} in row {first + 1}",
            where=where,
            cure="write them as 2017-07-19 21:09:05, leave unknown ones empty, or give their form in 'dates' "
            "(such as '%d.%m.%Y %H:%M')",
        )
    return local, offset


def _rows(file: Path, columns: dict[str, str]) -> pd.DataFrame:
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(file)
        with file.open(encoding="utf-8-sig") as lines:
            head = lines.readline().rstrip("\n")
        separator = max(",;\t", key=head.count)
        texts = {columns.get(name, name) for name in TEXTS}
        return pd.read_csv(
            file,
            encoding="utf-8-sig",
            sep=separator,
            dtype=dict.fromkeys(texts, "string"),  # 007 stays 007
            keep_default_na=False,  # an animal may be called NA
            na_values=[""],
            low_memory=False,
        )
    except FileNotFoundError:
        raise UserError("there is no such table", where=str(file)) from None
    except (OSError, ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UserError(f"the table cannot be read: {error}", where=str(file)) from None


def _numbers(values: pd.Series[Any], name: str, file: Path) -> pd.Series[Any]:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(f"{name} is {values.iloc[first]!r} in row {first + 1}, not a number", where=str(file))
    return numbers.astype("Float64")
