"""Read a table of annotations from a CSV or Parquet file: identities stay text, time zones are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.data.columns import guess_columns
from wildreid.data.dates import guess_form, read_dates
from wildreid.data.exif import fill_dates
from wildreid.data.presets import PRESETS, Asked, read_like, recognised
from wildreid.data.table import BOX, TEXTS, Failure, Table
from wildreid.errors import UserError

_TEXTS = (*TEXTS, "timestamp", "decided_at", "source")


def read_table(
    file: Path,
    root: Path,
    *,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    named: bool = True,
    like: str | None = None,
    asked: Asked | None = None,
) -> Table:
    """Read a CSV or Parquet file with a row an annotation.

    Columns that others call by another name are recognised where one can tell, and a note says which. A table
    that another program writes is read as that (see `wildreid.data.presets`), by its columns where `like` and
    `columns` do not say. Where the table gives no date, the photo's EXIF does, if it is at hand.

    Args:
        file: see `wildreid.data.columns.TABLES` for its endings.
        root: the folder that image paths are relative to.
        columns: the file's name for a column of ours: ``{"image": "path", "timestamp": "date"}``.
        dates: the `strptime` form of timestamps; None: ISO 8601, EXIF's own form, or another that alone fits
            all of them.
        named: whether the column ``identity`` must be there; if not, nobody is known where it is missing.
        like: the preset to read it by.
        asked: what else a recipe says; `columns` and `dates` are laid over it.

    Returns:
        A table; columns that we do not know are kept; rows without an image are among its failures.

    Raises:
        UserError: a file that is not there or not readable, a column that is missing, a date or a box that
            is none, and what `Table.of` refuses.
    """
    given = dict(columns or {})
    asked = replace(asked or Asked(), columns=given, dates=dates)
    rows = read_rows(file)
    preset = like or (None if given else recognised(rows.columns))
    if preset is not None:
        table = fill_dates(read_like(rows, preset, file, root.absolute(), asked, named=named))
        told = f"{file.name}: taken for {PRESETS[preset].words}; in a recipe: like: {preset}"
        return table if like else table.with_notes([told])
    for ours, theirs in given.items():
        if theirs not in rows:
            raise UserError(
                f"the table has no column '{theirs}' to take as '{ours}'; it has {', '.join(rows.columns)}",
                where=str(file),
            )
    guessed = {
        ours: theirs
        for ours, theirs in guess_columns(rows, apart=given.values()).items()
        if ours not in given and ours != theirs
    }
    rows = rows.rename(columns={theirs: ours for ours, theirs in given.items()})
    rows = rows.assign(**{ours: rows[theirs] for ours, theirs in guessed.items()})
    if not named and "identity" not in rows:
        rows["identity"] = pd.NA
    if asked.unknown and "identity" in rows:
        rows["identity"] = rows["identity"].mask(rows["identity"].isin(asked.unknown))
    if "image" in rows:
        empty = rows["image"].isna()
        failures = [Failure("", "the row names no image", row=int(row) + 1) for row in rows.index[empty]]
        rows = rows[~empty].reset_index(drop=True)
    else:
        failures = []
    if "timestamp" in rows:
        form = dates if dates is not None else guess_form(rows["timestamp"])
        form = form if isinstance(form, str) else None  # no dates, or two ways to read them: said there
        rows["timestamp"], offset = read_dates(rows["timestamp"], form=form, where=str(file))
        if offset.notna().any():
            rows["utc_offset"] = offset
    for name in BOX:
        if name in rows:
            rows[name] = _numbers(rows[name], name, file)
    for name in set(rows.columns) - {*_TEXTS, *BOX}:
        rows[name] = _as_it_is(rows[name])
    try:
        table = Table.of(rows, root.absolute(), failures)
    except UserError as error:
        place = f"{file}, {error.where}" if error.where else str(file)
        raise UserError(error.what, where=place, cure=error.cure) from None
    table = fill_dates(table)
    if not guessed:
        return table
    taken = ", ".join(f"'{theirs}' as {ours}" for ours, theirs in guessed.items())
    return table.with_notes([f"{file.name}: taken {taken}"])


def read_rows(file: Path, *, most: int | None = None) -> pd.DataFrame:
    """A table as it stands in the file: texts of a CSV stay text (007 stays 007, NA stays NA).

    Args:
        file: see `wildreid.data.columns.TABLES` for its endings.
        most: read so many rows of a CSV at most; None: all.

    Raises:
        UserError: a file that is not there or not readable.
    """
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            return _headed(pd.read_parquet(file))
        with file.open(encoding="utf-8-sig") as lines:
            head = lines.readline().rstrip("\n")
        return _headed(
            pd.read_csv(
                file,
                encoding="utf-8-sig",
                sep=max(",;\t", key=head.count),
                dtype="string",
                keep_default_na=False,  # an animal may be called NA
                na_values=[""],
                nrows=most,
            )
        )
    except FileNotFoundError:
        raise UserError("there is no such table", where=str(file)) from None
    except (OSError, ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UserError(f"the table cannot be read: {error}", where=str(file)) from None


def _headed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.rename(columns=lambda name: str(name).strip())


def _as_it_is(values: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers where every value of a column that is not ours is one."""
    if not isinstance(values.dtype, pd.StringDtype):
        return values
    numbers = pd.to_numeric(values, errors="coerce")
    return values if (numbers.isna() & values.notna()).any() or values.isna().all() else numbers


def _numbers(values: pd.Series[Any], name: str, file: Path) -> pd.Series[Any]:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise UserError(f"{name} is {values.iloc[first]!r} in row {first + 1}, not a number", where=str(file))
    return numbers.astype("Float64")
