"""A form of table that some program writes, and reading a table by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wildreid.data.columns import guess_columns
from wildreid.data.dates import guess_form
from wildreid.data.frames import is_film
from wildreid.data.locate import locate
from wildreid.data.names import settled
from wildreid.data.records import Records, said
from wildreid.data.table import Table
from wildreid.data.volunteers import Votes
from wildreid.errors import UserError

_PLAIN = re.compile(r"^(?![A-Za-z][A-Za-z0-9+.-]*:)(?!/)(?!(?:.*/)?\.\.(?:/|$)).+")
"""A path that stays below the root."""


@dataclass(frozen=True)
class Asked:
    """What a recipe says besides the preset's name.

    Attributes:
        columns: the file's name for a column of ours, before the preset's own.
        dates: the form of timestamps; None: ISO 8601, or another that alone fits all of them.
        unknown: words of the identity that mean nobody knows; None: such words are asked about.
        datasets: the values of the column ``dataset`` to keep; empty: all.
        votes: how volunteers' answers become one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: str | None = None
    unknown: Sequence[str] | None = None
    datasets: tuple[str, ...] = ()
    votes: Votes = field(default_factory=Votes)


@dataclass(frozen=True)
class Preset:
    """One form of table.

    Attributes:
        words: what it is, in words.
        told_by: columns that it has and others have not.
        columns: our columns, and what they are called there; what is not there is passed over.
        missing: its words for nothing, in identity and viewpoint.
        rows: makes one row for each animal of the file's rows, before columns are looked for.
        finish: boxes, and what else is its own; gives what one should know, in sentences.
        notes: what one should know, in sentences.
        remade: `rows` makes other columns, so that those that a recipe names may be gone.
    """

    words: str
    told_by: frozenset[str]
    columns: Mapping[str, str]
    missing: tuple[str, ...] = ()
    rows: Callable[[pd.DataFrame, Path, Asked], pd.DataFrame] | None = None
    finish: Callable[[Records, Asked], Sequence[str]] | None = None
    notes: tuple[str, ...] = ()
    remade: bool = False


def read_like(
    rows: pd.DataFrame, preset: Preset, file: Path, root: Path, asked: Asked, *, named: bool
) -> Table:
    """Read a table by a preset: each of its rows ends as a row, a failure, or counted.

    Args:
        rows: the file's rows, as `wildreid.data.read.read_rows` gives them.
        preset: how they are meant.
        file: where they are from.
        root: the folder that image paths are relative to.
        asked: what else the recipe says.
        named: whether a column must say who is who.

    Raises:
        UserError: a column is missing, or dates cannot be read.
    """
    called = rows["table_row"].tolist() if "table_row" in rows else []
    rows = rows.drop(columns="table_row", errors="ignore").astype("string")
    theirs = ", ".join(rows.columns)
    if preset.rows is not None:
        rows = preset.rows(rows, file, asked)
    rows = _named(rows, preset, file, asked, named, theirs)
    for name in ("identity", "viewpoint"):
        if name in rows:
            rows[name] = said(rows[name], *preset.missing)
    rows, settled_notes = settled(rows, asked.unknown, where=str(file), ask=named)
    if "viewpoint" in rows:
        rows["viewpoint"] = rows["viewpoint"].str.lower()
    paths = said(rows.pop("image"))
    called = called if len(called) == len(rows) else list(range(2, len(rows) + 2))
    lines = [f"line {number}" for number in called]
    records = Records(
        rows.assign(image=_below(paths, root, reasons := [""] * len(rows))), lines, root, paths=paths
    )
    if "_wrong" in rows:
        records.fail(rows["_wrong"].notna(), rows["_wrong"].tolist())
    records.fail(records.rows["image"].isna(), reasons)
    if "timestamp" in rows:
        form = asked.dates if asked.dates is not None else guess_form(rows["timestamp"])
        records.date(rows["timestamp"], form=form if isinstance(form, str) else None, where=str(file))
    notes = [] if preset.finish is None else preset.finish(records, asked)
    return records.table(form=preset.words, notes=(*preset.notes, *notes, *settled_notes))


def _below(paths: pd.Series[Any], root: Path, reasons: list[str]) -> pd.Series[Any]:
    """The paths that stay below the root, found or not; for others why they are none goes into `reasons`."""
    images = paths.str.replace("\\", "/", regex=False).str.removeprefix("./")
    odd = ~images.fillna("").str.fullmatch(_PLAIN.pattern)
    found = locate(images[odd], root)  # a path from another machine may end like one that is here
    below: list[Any] = images.tolist()
    for row, image, reason in zip(np.flatnonzero(odd).tolist(), found.images, found.reasons, strict=True):
        below[row], reasons[row] = image, reason
    for row, image in enumerate(below):
        if isinstance(image, str) and is_film(image):
            below[row], reasons[row] = None, "a film: not read"
    return pd.Series(below, images.index, "string")


def _named(
    rows: pd.DataFrame, preset: Preset, file: Path, asked: Asked, named: bool, there: str
) -> pd.DataFrame:
    """Our columns beside the file's own."""
    for ours, theirs in asked.columns.items():
        if theirs not in rows and not preset.remade:
            raise UserError(
                f"the table has no column '{theirs}' to take as '{ours}'; it has {there}",
                where=str(file),
            )
    wanted = {**preset.columns, **asked.columns}
    found = {ours: rows[theirs] for ours, theirs in wanted.items() if theirs in rows}
    if "identity" not in found and (guessed := guess_columns(rows).get("identity")):
        found["identity"] = rows[guessed]
    rows = rows.assign(**found)
    if "image" not in rows:
        raise UserError(
            f"{preset.words} has no column '{preset.columns['image']}'; it has {there}",
            where=str(file),
            cure="name the one with the photos: columns: {image: …}",
        )
    if "identity" not in rows:
        if named and "identity" in preset.columns:
            raise UserError(
                f"no column says who is who; there are {there}",
                where=str(file),
                cure=f"export it with '{preset.columns['identity']}', or name the column: columns: {{identity: …}}",
            )
        rows["identity"] = pd.Series(pd.NA, rows.index, "string")
    return rows
