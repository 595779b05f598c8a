"""The table: one row an annotation, that is one animal in one image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from wildreid.errors import UserError
from wildreid.files import put

REQUIRED = ("image", "identity")
BOX = ("box_left", "box_top", "box_width", "box_height")
PARTS = ("train", "val", "test")
ROLES = ("query", "gallery", "both")


@dataclass(frozen=True)
class Failure:
    """A row or image that was not used, and why. It stands in ``failures.csv``."""

    image: str
    reason: str
    row: int | None = None


@dataclass(frozen=True)
class Table:
    """Annotations as rows, and the folder that their image paths are relative to.

    Columns of `rows` (a pandas frame with a plain index 0, 1, 2 …):

    - ``id``: text, unique; the image path, followed by ``#left,top,width,height`` where there is a box.
    - ``image``: text; the path relative to `root`, with forward slashes.
    - ``identity``: text or missing; the individual.
    - ``camera``: text or missing.
    - ``timestamp``: local wall-clock time without zone, or missing. An offset from UTC that is known is
      kept in ``utc_offset`` (minutes).
    - ``box_left``, ``box_top``, ``box_width``, ``box_height``: pixels of the upright image, or missing.
    - ``viewpoint``: text or missing.
    - later stages add ``sequence``, ``group``, ``encounter`` (text), ``part`` (train, val, test or missing:
      not used) and ``role`` (query, gallery, both).
    - columns that we do not know are kept as they came.

    Attributes:
        rows: the frame; treat it as read-only.
        root: absolute folder of the images.
        failures: what was left out on the way here, and why.
        notes: what a reader should know of how it was read, in sentences; whoever shows the table says them.
    """

    rows: pd.DataFrame
    root: Path
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: pd.DataFrame, root: Path, failures: Iterable[Failure] = ()) -> Self:
        """Make a table from a frame: checks and completes the columns, sets ``id``.

        Raises:
            UserError: a required column is missing, an image path leaves the root, an id stands twice.
        """
        missing = [name for name in REQUIRED if name not in rows.columns]
        if missing:
            raise UserError(
                f"the table has no column {' and no column '.join(repr(name) for name in missing)}; "
                f"it has {', '.join(map(str, rows.columns))}",
                cure="rename the columns, or map them with the data set's 'columns' field",
            )
        rows = rows.reset_index(drop=True).copy()
        for name in ("image", "identity", "camera", "viewpoint", "part", "role", "id"):
            if name in rows:
                rows[name] = rows[name].astype("string")
            elif name in ("camera", "viewpoint"):
                rows[name] = pd.Series(pd.NA, index=rows.index, dtype="string")
        if "timestamp" not in rows:
            rows["timestamp"] = pd.NaT
        rows["timestamp"] = pd.to_datetime(rows["timestamp"]).astype("datetime64[us]")
        for name in BOX:
            rows[name] = (
                rows[name].astype("Float64")
                if name in rows
                else pd.array([pd.NA] * len(rows), dtype="Float64")
            )
        rows["image"] = rows["image"].str.replace("\\", "/", regex=False)
        outside = rows["image"].str.startswith("/") | rows["image"].str.contains(
            r"(?:^|/)\.\.(?:/|$)|^[A-Za-z]:", regex=True
        )
        if outside.any():
            bad = rows.index[outside.fillna(True)][0]
            raise UserError(
                f"the image path {rows['image'][bad]!r} leaves the root",
                where=f"row {bad + 1}",
                cure="write paths relative to the root, without '..'",
            )
        rows["id"] = _ids(rows)
        twice = rows["id"].duplicated()
        if twice.any():
            bad = rows.index[twice][0]
            raise UserError(
                f"the annotation {rows['id'][bad]!r} stands twice",
                where=f"row {bad + 1}",
                cure="keep one row for an image and box",
            )
        return cls(rows, root, tuple(failures))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> pd.Series[Any]:
        return self.rows[column]

    def with_rows(self, rows: pd.DataFrame) -> Self:
        """The same table with other rows or columns; the index is made plain again."""
        return replace(self, rows=rows.reset_index(drop=True))

    def with_failures(self, failures: Iterable[Failure]) -> Self:
        """The same table, with more that was left out."""
        return replace(self, failures=(*self.failures, *failures))

    def with_notes(self, notes: Iterable[str]) -> Self:
        """The same table, with more to know of how it was read; none is said twice."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    def of_part(self, *parts: str) -> pd.DataFrame:
        """The rows of these parts, with their index in the whole table."""
        return self.rows[self.rows["part"].isin(parts)]

    @property
    def individuals(self) -> int:
        """How many identities there are."""
        return int(self.rows["identity"].nunique())

    @property
    def dated(self) -> bool:
        """Whether any row has a date."""
        return bool(self.rows["timestamp"].notna().any())

    def save(self, path: Path) -> None:
        """Write the rows as Parquet, whole or not at all."""
        put(path, lambda aside: self.rows.to_parquet(aside, index=False))

    @classmethod
    def load(cls, path: Path, root: Path) -> Self:
        """Read what `save` wrote."""
        return cls(pd.read_parquet(path), root)

    def _repr_html_(self) -> str:
        head = f"<p>{len(self)} annotations of {self.individuals} individuals</p>"
        return head + self.rows.head(10).to_html(index=False, border=0)


def _ids(rows: pd.DataFrame) -> pd.Series[Any]:
    boxed = rows[list(BOX)].notna().all(axis=1)
    ids = rows["image"].copy()
    if boxed.any():
        numbers = rows.loc[boxed, list(BOX)].round().astype("int64").astype("string")
        text = numbers[BOX[0]].str.cat(numbers[list(BOX[1:])], sep=",")
        ids[boxed] = ids[boxed] + "#" + text
    return ids
