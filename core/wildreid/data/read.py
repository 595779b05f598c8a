"""Read a table of annotations from a CSV or Parquet file: identities stay text, time zones are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wildreid.data.boxes import upright
from wildreid.data.columns import guess_columns
from wildreid.data.dates import are_clocks, days_alone, guess_form, read_clocks, read_dates
from wildreid.data.exif import fill_dates
from wildreid.data.fingerprints import headers
from wildreid.data.images import SUFFIXES
from wildreid.data.names import settled
from wildreid.data.paths import as_spelled, below
from wildreid.data.preset import Asked, read_like
from wildreid.data.presets import PRESETS, recognised
from wildreid.data.rows import AGAIN, read_rows
from wildreid.data.table import BOX, TEXTS, Failure, Table
from wildreid.errors import UserError
from wildreid.places import cache_folder

_TEXTS = (*TEXTS, "timestamp", "decided_at", "source")


def read_table(
    file: Path,
    root: Path,
    *,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    unknown: Sequence[str] | None = None,
    named: bool = True,
    like: str | None = None,
    asked: Asked | None = None,
) -> Table:
    """Read a CSV or Parquet file with one row for each annotation.

    Columns that others call by another name are recognised where one can tell, and a note says which. A table
    that another program writes is read as that (see `wildreid.data.presets`), by its columns where `like` and
    `columns` do not say; what this project itself writes (answers, proposals) is read as it is. Where the table
    gives no date, the photo's EXIF does, if it is at hand.

    Args:
        file: see `wildreid.data.columns.TABLES` for its endings.
        root: the folder that image paths are relative to.
        columns: the file's name for a column of ours: ``{"image": "path", "timestamp": "date"}``; ``time`` is
            a time of day beside a date.
        dates: the `strptime` form of timestamps, ``excel`` or ``unix``; None: ISO 8601, EXIF's own form, or
            another that alone fits all of them.
        unknown: the words that mean that an animal or camera is not known; see `wildreid.data.names.settled`.
        named: whether the column ``identity`` must be there; if not, nobody is known where it is missing.
        like: the preset to read it by.
        asked: what else a recipe says; `columns`, `dates` and `unknown` are laid over it.

    Returns:
        A table; columns that we do not know are kept; rows without an image, or whose box is none, are among
        its failures.

    Raises:
        UserError: a file that is not there or not readable, a column that is missing or there twice, a date
            that is none, a name that may mean unknown, and what `Table.of` refuses.
    """
    rows, notes = read_rows(file)
    preset = like or (None if columns else recognised(rows.columns))
    if preset is not None:
        asked = asked or Asked()
        words = asked.unknown if unknown is None else unknown
        asked = replace(asked, columns=dict(columns or {}), dates=dates, unknown=words)
        table = fill_dates(read_like(rows, PRESETS[preset], file, root.absolute(), asked, named=named))
        told = f"{file.name}: taken for {PRESETS[preset].words}; in a recipe: like: {preset}"
        return table.with_notes(notes if like else [*notes, told])
    rows, taken = _ours(rows, columns or {}, file)
    notes += taken
    rows.index = pd.Index(rows["table_row"])  # what messages call a row
    if not named and "identity" not in rows:
        rows["identity"] = pd.NA
    rows, settled_notes = settled(rows, unknown, where=str(file), ask=named)
    notes += settled_notes
    failures: list[Failure] = []
    if "image" in rows:
        empty = rows["image"].isna()
        failures = [Failure("", "the row names no image", row=int(row)) for row in rows.index[empty]]
        rows = rows[~empty].copy()
        rows["image"], spelled = as_spelled(below(rows["image"], root), root)
        notes += spelled
        rows = _from_ids(rows)
    rows, of_dates = _dated(rows, dates, file, clocked="time" in (columns or {}))
    notes += of_dates
    for name in BOX:
        if name in rows:
            rows[name] = _numbers(rows[name], name, file)
    rows, of_boxes, failed = _in_pixels(rows, root, file)
    for name in set(rows.columns) - {*_TEXTS, *BOX, "table_row", "day_only"}:
        rows[name] = _as_it_is(rows[name])
    try:
        table = Table.of(rows, root.absolute(), [*failures, *failed])
    except UserError as error:
        place = f"{file}, {error.where}" if error.where else str(file)
        raise UserError(error.what, where=place, cure=error.cure) from None
    return fill_dates(table.with_notes(f"{file.name}: {note}" for note in [*notes, *of_boxes]))


def _ours(rows: pd.DataFrame, given: Mapping[str, str], file: Path) -> tuple[pd.DataFrame, list[str]]:
    """The rows with our names for columns, as somebody says or as one can tell."""
    notes = []
    guessed = our_columns(rows, given, file)
    aside = [ours for ours, theirs in given.items() if ours in rows and ours != theirs]
    aside = [ours for ours in aside if ours not in given.values()]
    if aside:
        rows = rows.rename(columns={ours: f"{ours} (not taken)" for ours in aside})
        notes.append(f"another column is taken as {', '.join(aside)}, so the table's own is set aside")
    guessed = {ours: theirs for ours, theirs in guessed.items() if ours != theirs}
    rows = rows.rename(columns={theirs: ours for ours, theirs in given.items()})
    rows = rows.assign(**{ours: rows[theirs] for ours, theirs in guessed.items()})
    if guessed:
        notes.append("taken " + ", ".join(f"'{theirs}' as {ours}" for ours, theirs in guessed.items()))
    return rows, notes


def our_columns(rows: pd.DataFrame, given: Mapping[str, str], file: Path) -> dict[str, str]:
    """Our names for columns to the table's, of those that are not given and can be told.

    Raises:
        UserError: a column that is given is not there, or one that is taken is there twice.
    """
    for ours, theirs in given.items():
        if theirs not in rows:
            there = ", ".join(str(name) for name in rows if name != "table_row")
            raise UserError(
                f"the table has no column '{theirs}' to take as '{ours}'; it has {there}", where=str(file)
            )
    found = guess_columns(rows, apart=given.values())
    guessed = {ours: theirs for ours, theirs in found.items() if ours not in given}
    for theirs in {**guessed, **given}.values():
        if f"{theirs}{AGAIN}" in rows:
            raise UserError(
                f"the table has two columns '{theirs}', and they differ",
                where=str(file),
                cure="give one of them another name",
            )
    return guessed


def _dated(
    rows: pd.DataFrame, dates: str | None, file: Path, *, clocked: bool
) -> tuple[pd.DataFrame, list[str]]:
    """With moments, their offset from UTC, and whether they are days alone; a column of times joins a date's."""
    if "timestamp" not in rows:
        return rows, []
    written, notes = rows["timestamp"], []
    form = dates if dates is not None else guess_form(written)
    form = form if isinstance(form, str) else None  # no dates, or two ways to read them: said there
    local, offset = read_dates(written, form=form, where=str(file))
    day_only = days_alone(written, local)
    if "time" in rows and day_only.any() and (clocked or are_clocks(rows["time"])):
        clock = read_clocks(rows["time"], where=str(file))
        joined = day_only & clock.notna()
        local = local.where(~joined, local + clock)
        day_only &= ~joined
        notes.append("the times of day in 'time' are taken with the dates")
    utc = int((offset == 0).sum())
    if utc and (form == "unix" or written.astype("string").str.contains(r"(?:Z|UTC|GMT)\s*$").any()):
        notes.append(f"dates in UTC: {utc}; their day and hour are those of UTC, not of the place")
    if offset.notna().any():
        rows["utc_offset"] = offset
    if "day_only" in rows:  # a table of ours says so itself
        told = rows["day_only"].astype("string").str.lower()
        rows = rows.drop(columns="day_only")
        day_only |= told.isin(["true", "1"]) & local.notna()
    if day_only.any():
        rows["day_only"] = day_only
        notes.append(
            f"dates without a time of day: {int(day_only.sum())}; they tell days apart, but no bursts"
        )
    return rows.assign(timestamp=local), notes


def _from_ids(rows: pd.DataFrame) -> pd.DataFrame:
    """Images that are written with their box, as answers name them: ``a.jpg#10,20,300,200``."""
    if any(name in rows for name in BOX):
        return rows
    endings = "|".join(ending[1:] for ending in sorted(SUFFIXES))
    number = r"(-?\d+)"
    found = rows["image"].str.extract(rf"^(.+\.(?i:{endings}))#{number},{number},{number},{number}$")
    if found[0].isna().all():
        return rows
    rows = rows.assign(image=found[0].fillna(rows["image"]))
    return rows.assign(**{name: found[at] for at, name in enumerate(BOX, start=1)})


def _in_pixels(rows: pd.DataFrame, root: Path, file: Path) -> tuple[pd.DataFrame, list[str], list[Failure]]:
    """Boxes that are shares of their image as pixels; a note, and the rows for which that cannot be."""
    if not {*BOX, "image"} <= set(rows.columns):
        return rows, [], []
    box = rows[list(BOX)].astype("float64").to_numpy(na_value=np.nan)
    boxed = np.isfinite(box).all(axis=1)
    small = boxed & (box[:, 2:] <= 1).all(axis=1) & (box[:, 2:] > 0).all(axis=1)
    shares = boxed.any() and bool(((box[boxed] >= 0) & (box[boxed] <= 1)).all())
    reason = np.full(len(rows), None, object)
    if not shares:
        reason[small] = "the box is at most a pixel: a share of the image among boxes in pixels?"
    else:
        images = rows["image"].astype(str).to_numpy()
        size = np.full((len(rows), 3), np.nan)
        size[boxed] = headers([str(root / image) for image in images[boxed]], cache=cache_folder())
        if np.isnan(size[:, 0]).all():
            raise UserError(
                "the boxes are shares of the images, and none of the images can be opened to measure it",
                where=str(file),
                cure=f"check the root {root}, or write the boxes in pixels",
            )
        pixels, wrong = upright(box, size[:, :2], size[:, 2], relative=True)
        reason[boxed] = wrong[boxed]
        reason[boxed & np.isnan(size[:, 0])] = "the photo cannot be opened, so its box means nothing"
        box[boxed] = pixels[boxed]
        rows = rows.assign(**{name: pd.array(side, "Float64") for name, side in zip(BOX, box.T, strict=True)})
    failed = np.array([text is not None for text in reason], bool)
    called = rows.index.tolist()
    failures = [
        Failure(str(rows["image"].iloc[row]), str(reason[row]), called[row])
        for row in np.flatnonzero(failed).tolist()
    ]
    notes = (
        ["the boxes lie between 0 and 1: read as shares of their image's width and height"] if shares else []
    )
    return rows[~failed], notes, failures


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
        raise UserError(
            f"{name} is {values.iloc[first]!r} in row {values.index[first]}, not a number",
            where=str(file),
            cure="write it as 2.5, or leave it empty",
        )
    return numbers.astype("Float64")
