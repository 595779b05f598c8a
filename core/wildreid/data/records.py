"""From the records of somebody else's file to a table: each one ends as a row, as a failure, or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.boxes import upright
from wildreid.data.dates import how_to_read, parse_dates
from wildreid.data.exif import with_exif
from wildreid.data.films import Times, sample
from wildreid.data.fingerprints import headers
from wildreid.data.frames import FILMS, file_of, frame_name
from wildreid.data.identified import ALONE
from wildreid.data.locate import FILM, NOT_HERE, locate
from wildreid.data.table import BOX, NUMBERS, REQUIRED, TEXTS, Failure, Origin, Table
from wildreid.data.texts import read_json, read_texts, said
from wildreid.errors import UserError
from wildreid.places import cache_folder

__all__ = ["FILM", "FILMS", "Records", "read_json", "read_texts", "said"]

Mask = NDArray[np.bool_]
_LATER = ("sequence", "group", "encounter", "content", "phash")
OURS = {*TEXTS, *NUMBERS, "timestamp", "decided_at", "private", *_LATER}
"""Names that mean something of ours in a table."""


class Records:
    """The records of one source on their way to a `Table`.

    Call `locate` first, `count` and `fail` in any order, then `box`, then `table`. The first that speaks of a
    record decides: one that has failed is not counted later.

    Attributes:
        rows: one row for each record, with a plain index; columns as in `Table`, and the source's own.
            ``identity`` is there; ``image`` comes with `locate`, or is there already where the photos were listed.
        keys: (records,) what the source calls each: an id, a line.
        root: the folder that image paths are relative to.

    Args:
        paths: (records,) the files' paths as the source has them, for what fails before they are located.
    """

    def __init__(
        self, rows: pd.DataFrame, keys: Iterable[Any], root: Path, *, paths: pd.Series[Any] | None = None
    ) -> None:
        self.rows = rows.reset_index(drop=True)
        self.keys = [str(key) for key in keys]
        self.root = root
        self._open = np.ones(len(rows), bool)
        self._paths: Sequence[Any] = [None] * len(rows) if paths is None else paths.to_list()
        self._failures: list[Failure] = []
        self._counted: Counter[str] = Counter()
        self._further = 0

    @property
    def open(self) -> Mask:
        """(records,) those that may still become rows."""
        return self._open.copy()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Those that have failed so far."""
        return tuple(self._failures)

    def fail(self, where: Any, reason: Any) -> None:
        """Make failures of the open records at `where`.

        Args:
            where: (records,) boolean; a missing value is False.
            reason: one text, or one each. What differs from record to record comes after a colon.
        """
        for row in self._take(where):
            text = reason if isinstance(reason, str) else str(reason[row])
            self._failures.append(Failure(self._path(row), text, row + 1, self.keys[row]))

    def count(self, where: Any, what: Any) -> None:
        """Count the open records at `where` as no rows for a good reason: blank, a human.

        Args:
            where: as for `fail`.
            what: one text, or one each.
        """
        taken = self._take(where)
        self._counted.update([what] * len(taken) if isinstance(what, str) else [str(what[n]) for n in taken])

    def further(self, *, failures: Sequence[Failure] = (), counted: Mapping[str, int] | None = None) -> None:
        """Add records that could not become rows in any case, such as photos that nobody speaks of."""
        self._failures += failures
        self._counted.update(counted or {})
        self._further += len(failures) + sum((counted or {}).values())

    def keep(self, others: pd.DataFrame) -> None:
        """Keep the source's other columns under their own names.

        One that is called as a column of ours is not, and means something else there, gets ``source_`` before it.

        Args:
            others: (records, …) in the records' order.
        """
        names = {name: f"source_{name}" for name in others if name in OURS or name in self.rows}
        new = others.rename(columns=names).set_axis(self.rows.index)
        self.rows = pd.concat([self.rows, new], axis=1)

    def locate(
        self,
        paths: pd.Series[Any],
        *,
        strip_prefix: str = "",
        media: Path | None = None,
        names: Sequence[pd.Series[Any]] = (),
        films: bool = False,
    ) -> None:
        """Find each record's file and set ``image``; what is not on this machine fails. See `locate`."""
        found = locate(paths, self.root, strip_prefix=strip_prefix, media=media, names=names, films=films)
        self._paths = paths.to_list()
        self.root = found.root
        self.rows["image"] = pd.Series(found.images, dtype="string")
        self.fail(self.rows["image"].isna(), found.reasons)

    def frames(self, numbers: Sequence[int | None], *, times: Times | None = None) -> None:
        """Put frames in the place of films, and when they were taken; one that cannot be read fails.

        Args:
            numbers: (records,) which frame of its film each speaks of, counted from 0; None for a photo.
            times: the clock of films whose names do not tell when; see `wildreid.data.films.sample`.
        """
        wanted: dict[str, list[int]] = {}
        image: dict[int, str] = {}
        films = self.rows["image"].where(self._open)
        for row, (film, number) in enumerate(zip(films, numbers, strict=True)):
            if number is not None and isinstance(film, str):
                wanted.setdefault(film, []).append(number)
                image[row] = frame_name(film, number)
        taken, failures = sample(self.root, list(wanted), numbers=wanted, times=times)
        wrong = {failure.image: failure.reason for failure in failures}
        names = pd.Series(image, dtype="string").reindex(self.rows.index)
        reasons = [
            wrong.get(str(name), wrong.get(str(film))) for name, film in zip(names, films, strict=True)
        ]
        self.fail([reason is not None for reason in reasons], reasons)
        self.rows["image"] = names.fillna(self.rows["image"])
        told = taken.set_index("image").reindex(names)
        for name in ("event", "timestamp", "utc_offset"):
            added = told[name].set_axis(self.rows.index)
            self.rows[name] = self.rows[name].fillna(added) if name in self.rows else added

    def box(
        self,
        values: NDArray[np.float64],
        *,
        relative: bool | Mask,
        corners: bool = False,
        stored: bool | Mask = False,
        drawn_on: NDArray[np.float64] | None = None,
    ) -> None:
        """Set the boxes, in pixels of the upright photo; what cannot be one fails.

        The photos' headers are read, by threads, and remembered. Boxes of which all four numbers are missing
        mean the whole photo.

        Args:
            values: (records, 4) x, y, width, height; see `wildreid.data.boxes.upright` for the rest.
            relative: whether they are shares of the photo's width and height; one for all, or one each.
            corners: they are x1, y1, x2, y2.
            stored: whoever drew them saw the photo as it is stored, not upright; one for all, or one each.
            drawn_on: (records, 2) width and height that the source says, NaN where it does not. Where they
                are those of the stored photo, the box is turned; where they are another photo's, it fails.
        """
        boxed = self._open & ~np.isnan(values).all(axis=1)
        rows = np.flatnonzero(boxed)
        size = np.full((len(self.rows), 3), np.nan)
        images = self.rows["image"].to_numpy(object)
        size[rows] = headers([str(file_of(self.root, name)) for name in images[rows]], cache=cache_folder())
        self.fail(boxed & np.isnan(size[:, 0]), "the photo's header cannot be read, so its box means nothing")
        turned = np.full(len(self.rows), stored)
        if drawn_on is not None:
            told = boxed & ~np.isnan(drawn_on).any(axis=1)
            other = told & (drawn_on != size[:, :2]).any(axis=1)
            turned |= other & (size[:, 2] >= 5) & (drawn_on[:, ::-1] == size[:, :2]).all(axis=1)
            reasons = np.full(len(self.rows), None, object)
            for row in np.flatnonzero(other & ~turned):
                reasons[row] = _of_another(drawn_on[row], size[row])
            self.fail(other & ~turned, reasons)
        found, reasons = upright(
            values, size[:, :2], size[:, 2], relative=relative, corners=corners, stored=turned
        )
        self.fail(boxed & pd.notna(reasons), reasons)
        found[~self._open | ~boxed] = np.nan
        for column, side in zip(BOX, found.T, strict=True):
            self.rows[column] = side

    def date(self, values: pd.Series[Any], *, form: str | None = None, where: str = "") -> None:
        """Set ``timestamp`` and, where it is known, ``utc_offset``; a text that is no date fails.

        Args:
            values: (records,) texts, missing where there is no date.
            form: their `strptime` form; None: ISO 8601, or EXIF's own.
            where: what the values stand in, for the error.

        Raises:
            UserError: not one of them can be read, or they are written as ``4/5/2021`` and no form is given.
        """
        local, offset, wrong = parse_dates(values.reset_index(drop=True), form=form)
        texts = values.reset_index(drop=True).astype("string")
        twofold = wrong & texts.str.match(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}").fillna(False)
        if (form is None and twofold.any()) or (wrong.any() and local.isna().all()):
            raise UserError(
                f"{int(wrong.sum())} dates cannot be read, such as {texts[wrong].iloc[0]!r}"
                + (", which could be read in two ways" if form is None and twofold.any() else ""),
                where=where,
                cure=how_to_read(texts, form),
            )
        self.fail(wrong, "the date cannot be read: " + texts.fillna(""))
        self.rows["timestamp"] = local
        if offset.notna().any():
            self.rows["utc_offset"] = offset

    def exif(self) -> None:
        """Where they are missing, take date, time zone and camera (its serial number) from the photos."""
        images = self.rows.loc[self._open, ["image"]]
        found = with_exif(images, self.root)
        found = found.rename(columns={"serial": "camera"})[["timestamp", "utc_offset", "camera"]]
        found = found.reindex(self.rows.index)
        for name in found:
            self.rows[name] = (
                self.rows[name].where(self.rows[name].notna(), found[name])
                if name in self.rows
                else found[name]
            )

    def table(self, *, form: str, notes: Sequence[str] = ()) -> Table:
        """The table, with its failures and its origin.

        Rows of one photo that no box tells apart, and rows that say the same box twice, fail.

        Args:
            form: what the source is, in words.
            notes: what else one should know, in sentences.
        """
        self._tell_apart()
        kept = self.rows[self._open]
        silent = [name for name in kept if name not in REQUIRED and kept[name].isna().all()]
        table = Table.of(kept.drop(columns=silent), self.root, self._failures)
        kinds = Counter(failure.kind for failure in self._failures)
        counted = {what: number for what, number in self._counted.items() if number}
        told = list(notes)
        if kinds[NOT_HERE]:
            told.append(
                "what is not on this machine is not fetched: download it, and set the folder in 'media'"
            )
        private = int(table["private"].fillna(False).sum()) if "private" in table.rows else 0
        if private:
            told.append(
                f"{private} × private (people, vehicles, not public): pages do not show the whole photo"
            )
        records = len(self.rows) + self._further
        origin = Origin(form, records, len(table), dict(kinds), counted, tuple(told))
        return Table(table.rows, table.root, table.failures, (*origin.says(), *table.notes), origin)

    def _tell_apart(self) -> None:
        for name in BOX:
            if name not in self.rows:
                self.rows[name] = np.nan
        image = self.rows["image"].where(pd.Series(self._open))
        whole = self.rows[list(BOX)].isna().any(axis=1) & self._open
        there = image.map(image.value_counts())
        unboxed = image.map(image[whole].value_counts())
        several = (whole & (unboxed > 1)).to_numpy(bool, na_value=False)
        self.fail(
            several, [f"{n} individuals on one photo without boxes" for n in unboxed.fillna(0).astype(int)]
        )
        self.fail(whole & (there > 1), ALONE)
        sides = self.rows[list(BOX)].round()
        twice = sides.assign(image=image).duplicated() & ~whole & self._open
        self.fail(twice, "the same box is on this photo already")

    def _take(self, where: Any) -> list[int]:
        mask = pd.Series(np.asarray(where, object)).fillna(False).to_numpy(bool) & self._open
        self._open &= ~mask
        return [int(row) for row in np.flatnonzero(mask)]

    def _path(self, row: int) -> str:
        path = self._paths[row]
        if path is None and "image" in self.rows:  # set by somebody who has located it otherwise
            path = self.rows["image"].iloc[row]
        return "" if path is None or pd.isna(path) else str(path)


def _of_another(drawn_on: NDArray[np.float64], size: NDArray[np.float64]) -> str:
    wide, high = drawn_on
    return f"the box is of a photo of another size: {wide:g} × {high:g}, not {size[0]:g} × {size[1]:g}"
