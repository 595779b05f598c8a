"""The table: one row for each annotation, that is one animal in one image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.dates import days_alone, doubts
from wildreid.data.frames import file_of
from wildreid.data.identified import BOX as BOX
from wildreid.data.identified import identified
from wildreid.data.images import MAX_PIXELS, Box, read
from wildreid.data.names import plain
from wildreid.data.origin import Failure as Failure
from wildreid.data.origin import Origin as Origin
from wildreid.data.paths import below, outside
from wildreid.data.typed import flags, in_type
from wildreid.errors import UserError
from wildreid.files import put

REQUIRED = ("image", "identity")
OF_PHOTO = (
    "station", "deployment", "event", "species", "sex", "life_stage", "media",
    "utc_offset", "latitude", "longitude", "detector_confidence", "private",
)  # fmt: skip
"""Columns of ours that say more of a photo and its animal, whoever it is."""
OF_DECISION = ("method", "decided_by", "decided_at", "probability")
"""Columns of ours that say how the identity came to be known."""
TEXTS = (
    "id", "image", "identity", "camera", "viewpoint", "part", "role",
    "station", "deployment", "event", "species", "sex", "life_stage", "media", "method", "decided_by",
    "encounter", "sequence",
)  # fmt: skip
"""Columns of ours that are text, so that 007 stays 007."""
NUMBERS = (*BOX, "utc_offset", "latitude", "longitude", "detector_confidence", "probability")
"""Columns of ours that are numbers."""
PARTS = ("train", "val", "test")
GIVEN = ("given_encounter", "given_sequence")
"""What a data set itself says of encounters and sequences, kept once ours are made of it."""
ROLES = ("query", "gallery", "both")


@dataclass(frozen=True)
class Table:
    """Annotations as rows, and the folder that their image paths are relative to.

    Columns of `rows` (a pandas frame with a plain index 0, 1, 2 …):

    - ``id``: text, unique; the image path, followed by ``#left,top,width,height`` where there is a box. What a
      data set brings under that name is kept as ``given_id``.
    - ``image``: text; the path relative to `root`, with forward slashes.
    - ``identity``: text or missing; the individual.
    - ``camera``: text or missing.
    - ``timestamp``: local wall-clock time without zone, or missing. An offset from UTC that is known is
      kept in ``utc_offset`` (minutes).
    - ``box_left``, ``box_top``, ``box_width``, ``box_height``: pixels of the upright image, or missing.
    - ``viewpoint``: text or missing.
    - where the source knows them: ``station`` (the place), ``deployment`` (a camera's time at a place),
      ``event`` (what the source calls one visit), ``species``, ``sex``, ``life_stage``, ``latitude`` and
      ``longitude`` (degrees), ``detector_confidence``, ``media`` (the source's id of the file); who said the
      identity: ``method`` (human, machine or import), ``decided_by``, ``decided_at`` (a moment, in UTC) and
      ``probability``; ``private`` (true: the whole frame is for nobody else's eyes).
    - ``encounter``, ``sequence``: text or missing, where the data set says what was photographed together:
      they are honoured, and kept as ``given_encounter`` and ``given_sequence``.
    - ``day_only``: whether the timestamp is a day without a time; there where any is.
    - ``table_row``: the row of the file that it came from, as spreadsheet programs count: the header is row 1.
    - later stages add ``sequence``, ``group``, ``encounter`` (text), ``part`` (train, val, test or missing:
      not used) and ``role`` (query, gallery, both).
    - columns that we do not know are kept as they came.

    Attributes:
        rows: the frame; treat it as read-only.
        root: absolute folder of the images.
        failures: what was left out on the way here, and why.
        notes: what a reader should know of how it was read, in sentences; whoever shows the table says them.
        origin: what the rows were read from; None where it was nobody else's form.
    """

    rows: pd.DataFrame
    root: Path
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    origin: Origin | None = field(default=None, repr=False)

    @classmethod
    def of(cls, rows: pd.DataFrame, root: Path, failures: Iterable[Failure] = ()) -> Self:
        """Make a table from a frame: checks and completes the columns, sets ``id``.

        Rows whose box is none, and rows that nothing tells apart from others of their photo, become failures.

        Raises:
            UserError: a required column is missing, an image path leaves the root, a column of ours holds what
                it cannot.
        """
        missing = [name for name in REQUIRED if name not in rows.columns]
        if missing:
            raise UserError(
                f"the table has no column {' and no column '.join(repr(name) for name in missing)}; "
                f"it has {', '.join(str(name) for name in rows.columns if name != 'table_row')}",
                cure="rename the columns, or map them with the data set's 'columns' field",
            )
        rows, notes = plain(rows.reset_index(drop=True))
        rows = _typed(rows)
        if "day_only" not in rows and (alone := days_alone(rows["timestamp"], rows["timestamp"])).any():
            rows["day_only"] = alone
        rows["image"] = below(rows["image"], root)
        gone = outside(rows["image"])
        if gone.any():
            bad = int(gone.to_numpy().argmax())
            others = f", and {int(gone.sum()) - 1} others do" if gone.sum() > 1 else ""
            raise UserError(
                f"the image path {rows['image'][bad]!r} leaves the root{others}",
                where=f"row {numbers(rows)[bad]}",
                cure="write paths relative to the root, without '..'",
            )
        given = rows.get("id")
        rows, failed = _told_apart(rows.drop(columns="id", errors="ignore"), given)
        folder = rows["image"].str.replace(r"/?[^/]*$", "", regex=True)
        notes += doubts(rows["timestamp"], rows["camera"].fillna(folder))
        return cls(rows, root, (*failures, *failed), tuple(notes))

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

    def box(self, row: int) -> Box | None:
        """The box of the row at this position; None where the whole image is meant."""
        return boxes(self.rows.iloc[[row]])[0]

    def crop(
        self, row: int, *, margin: float = 0.0, max_pixels: int = MAX_PIXELS, longest: int | None = None
    ) -> NDArray[np.uint8]:
        """What the row at this position shows: its image, or the part of it inside its box.

        Args:
            row: the position.
            margin: context around a box, as a share of its longer side.
            max_pixels: a file that declares more is refused.
            longest: pixels that the longer side has at most; None: as many as there are.

        Returns:
            (height, width, 3) uint8.

        Raises:
            UserError: it cannot be read.
        """
        path = file_of(self.root, str(self.rows["image"].iloc[row]))
        return read(path, box=self.box(row), margin=margin, max_pixels=max_pixels, longest=longest)

    @property
    def individuals(self) -> int:
        """How many identities there are."""
        return int(self.rows["identity"].nunique())

    @property
    def dated(self) -> bool:
        """Whether any row has a date."""
        return bool(self.rows["timestamp"].notna().any())

    @property
    def told_apart(self) -> bool:
        """Whether encounters can be told apart: by a date of any row, or since the data set names them."""
        return self.dated or any(name in self.rows and self.rows[name].notna().any() for name in GIVEN)

    def save(self, path: Path) -> None:
        """Write the rows as Parquet, whole or not at all."""
        put(path, lambda aside: self.rows.to_parquet(aside, index=False))

    @classmethod
    def load(cls, path: Path, root: Path) -> Self:
        """Read what `save` wrote."""
        return cls(pd.read_parquet(path), root)

    def withheld(self, row: int) -> bool:
        """Whether a page must not show this row: its photo is private, and no box says which part is meant."""
        if "private" not in self.rows:
            return False
        private, box = self.rows["private"].iloc[row], self.rows[list(BOX)].iloc[row]
        return bool(not pd.isna(private) and private and box.isna().any())

    def _repr_html_(self) -> str:
        head = f"<p>{len(self)} annotations of {self.individuals} individuals</p>"
        return head + self.rows.head(10).to_html(index=False, border=0)


def boxes(rows: pd.DataFrame) -> list[Box | None]:
    """The box of each row, None where the whole image is meant."""
    values = rows[list(BOX)].astype("float64").to_numpy()
    whole = np.isnan(values).any(axis=1)
    return [None if no_box else tuple(box) for no_box, box in zip(whole, values.tolist(), strict=True)]


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of ours with their types; those that are always there are made."""
    for name in TEXTS:
        if name in rows:
            rows[name] = rows[name].astype("string")
        elif name in ("camera", "viewpoint"):
            rows[name] = pd.Series(pd.NA, index=rows.index, dtype="string")
    if "timestamp" not in rows:
        rows["timestamp"] = pd.NaT
    rows["timestamp"] = pd.to_datetime(rows["timestamp"]).astype("datetime64[us]")
    for name in NUMBERS:
        if name in rows:
            rows[name] = in_type(
                rows, name, "a number", lambda values: pd.to_numeric(values).astype("Float64")
            )
        elif name in BOX:
            rows[name] = pd.array([pd.NA] * len(rows), dtype="Float64")
    if "decided_at" in rows:
        moment = "a date and time, such as 2024-05-01T09:30:00Z"
        rows["decided_at"] = in_type(
            rows, "decided_at", moment, lambda values: pd.to_datetime(values, utc=True, format="ISO8601")
        ).astype("datetime64[us, UTC]")
    if "private" in rows:
        rows["private"] = in_type(rows, "private", "true or false", flags)
    return rows


def numbers(rows: pd.DataFrame) -> list[int]:
    """What messages call each row: that of the file where it is known, else counted from 1."""
    called = rows["table_row"] if "table_row" in rows else range(1, len(rows) + 1)
    return list(map(int, called))


def _told_apart(rows: pd.DataFrame, given: pd.Series[Any] | None) -> tuple[pd.DataFrame, list[Failure]]:
    """The rows that are one animal in one photo each, with their ``id``; the others as failures.

    Other ids that were given are kept as ``given_id``.
    """
    rows, reason = identified(rows)
    if given is not None and not given.equals(rows["id"].astype("string")):
        rows["given_id"] = given
    told = zip(rows["image"], reason, numbers(rows), strict=True)
    failures = [Failure(str(image), why, row) for image, why, row in told if pd.notna(why)]
    kept = rows[reason.isna()].reset_index(drop=True)
    kept["id"] = kept["id"].astype("string")
    return kept, failures
