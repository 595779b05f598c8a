"""The part of each row's photo in which a segmenter looks for its animal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wildreid.artefacts import Crop
from wildreid.data.frames import file_of
from wildreid.data.images import Box, cutout, fitted, measure, read
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images


class Crops:
    """The crops of a table's rows, by row."""

    def __init__(
        self, table: Table, box: Sequence[Box | None], settings: Images, segmenter: Segmenter
    ) -> None:
        self.side = segmenter.longest or settings.size
        self._table, self._box, self.settings = table, list(box), settings
        self._sees = segmenter.longest is not None

    def select(self, rows: NDArray[np.integer[Any]]) -> Crops:
        """Those of these rows alone, in this order."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _table=self._table.with_rows(self._table.rows.iloc[rows]))
        other._box = [self._box[row] for row in rows]
        return other

    def rows(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """Rows of the table, by column."""
        rows = self._table.rows.iloc[start:stop]
        names = [str(name) for name in rows.columns]
        for values in rows.itertuples(index=False, name=None):
            yield dict(zip(names, values, strict=True))

    def __call__(self, row: int) -> Crop:
        """The crop of one row.

        Raises:
            UserError: its photo cannot be read.
        """
        box, settings = self._box[row], self.settings
        path = file_of(self._table.root, str(self._table["image"].iloc[row]))
        photo = measure(path)
        if photo is None:
            raise UserError("the image cannot be read", where=str(path))
        left, top, right, bottom = cutout(photo, box, settings.margin, path)
        shown = left, top, right - left, bottom - top
        pixels = None
        if self._sees:
            pixels = read(
                path, box=box, margin=settings.margin, max_pixels=settings.max_pixels, longest=self.side
            )
        shape = pixels.shape[:2] if pixels is not None else fitted(*shown[2:], self.side, "pad")[::-1]
        (values,) = self.rows(row, row + 1)
        return Crop(shape, shown, photo, box, values, self._table.root, pixels)
