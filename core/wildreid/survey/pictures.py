"""The photos that a survey shows: one for each individual, the longest bursts, doubles, boxes, augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wildreid.data.frames import file_of
from wildreid.data.groups import places
from wildreid.data.images import read
from wildreid.data.table import Table, boxes
from wildreid.errors import UserError
from wildreid.page import Veil, thumbnail
from wildreid.survey.facts import Facts

Pixels = NDArray[np.uint8]

LONGEST = 200


@dataclass
class Album:
    """Thumbnails of a table's rows, each with the words below it.

    Attributes:
        table: whose rows are shown.
        veil: what may be shown of cameras and paths.
        margin: context around a box, as a share of its longer side.
        max_pixels: of a file that is decoded.
    """

    table: Table
    veil: Veil
    margin: float = 0.0
    max_pixels: int = 120_000_000
    _shown: dict[int, str | None] = field(default_factory=dict)

    def photo(self, row: int, *words: str, mark: str = "") -> dict[str, Any]:
        """One row as the page's macro draws it."""
        facts = self.table.rows.iloc[row]
        who = "unknown" if pd.isna(facts["identity"]) else str(facts["identity"])
        if row not in self._shown:
            pixels = self.pixels(row)
            self._shown[row] = None if pixels is None else thumbnail(pixels, LONGEST)
        return {
            "uri": self._shown[row],
            "who": who,
            "words": words or (when(facts["timestamp"]),),
            "alt": f"{who}, {when(facts['timestamp'])}",
            "mark": mark,
            "reason": "is private" if self._withheld(row) else "cannot be read",
        }

    def _withheld(self, row: int) -> bool:
        return not self.veil.private and self.table.withheld(row)

    def pixels(self, row: int, longest: int = LONGEST) -> Pixels | None:
        """What a row's box shows; None where it cannot be read, or is a private photo."""
        if self._withheld(row):
            return None
        try:
            return self.table.crop(row, margin=self.margin, max_pixels=self.max_pixels, longest=longest)
        except UserError:
            return None

    def faces(self, facts: Facts, most: int) -> list[dict[str, Any]]:
        """An image of each individual, those with most images first: the one in the middle of its time."""
        rows = self.table.rows.reset_index().sort_values(["timestamp", "id"])
        middle = rows.groupby("identity")["index"].agg(lambda index: index.iloc[len(index) // 2])
        shown = facts.individuals.head(most)
        return [
            self.photo(int(middle[who]), f"{one.images:,} images", f"{one.encounters:,} encounters")
            for who, one in zip(shown.index, shown.itertuples(), strict=True)
        ]

    def bursts(self, facts: Facts, most: int, frames: int) -> list[dict[str, Any]]:
        """The longest bursts, each with some of its frames from first to last."""
        rows = self.table.rows.reset_index().sort_values(["timestamp", "id"])
        found = []
        for name, burst in facts.bursts.head(most).iterrows():
            if burst["images"] < 2:
                break
            mine = rows.loc[rows["sequence"] == name].drop_duplicates("image")
            chosen = np.unique(np.linspace(0, len(mine) - 1, frames).round().astype(int))
            begin = mine["timestamp"].iloc[0]
            shown = mine.iloc[chosen]
            later = (shown["timestamp"] - begin).dt.total_seconds()
            words = f"{int(burst['images']):,} images in {_span(burst['seconds'])}"
            photos = [
                self.photo(int(row), f"+ {seconds:.0f} s")
                for row, seconds in zip(shown["index"], later, strict=True)
            ]
            found.append({"words": words, "where": f"{when(begin)}, {self._camera(mine)}", "photos": photos})
        return found

    def doubles(self, pairs: Sequence[tuple[int, int]], most: int) -> list[list[dict[str, Any]]]:
        """Pairs side by side, at most one for each individual."""
        first: dict[Any, tuple[int, int]] = {}
        for pair in pairs:
            first.setdefault(str(self.table["identity"].iloc[pair[0]]), pair)
        return [
            [
                self.photo(row, self._day(row), self.veil.text(str(self.table["image"].iloc[row])))
                for row in pair
            ]
            for pair in list(first.values())[:most]
        ]

    def boxed(self, most: int) -> list[dict[str, Any]]:
        """Whole images with their box drawn in, spread over the table."""
        box = boxes(self.table.rows)
        private = self.table.rows.get("private", pd.Series(False, self.table.rows.index)).fillna(False)
        hidden = private.to_numpy(bool) & (not self.veil.private)  # the whole frame is shown here
        rows = [row for row, edges in enumerate(box) if edges is not None and not hidden[row]]
        chosen = [rows[n] for n in np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]
        found = []
        for row in chosen:
            photo = self.photo(row, self._day(row))
            edges = box[row]
            try:
                path = file_of(self.table.root, str(self.table["image"].iloc[row]))
                whole = Image.fromarray(read(path, max_pixels=self.max_pixels))
            except UserError:
                continue
            assert edges is not None
            left, top, width, height = edges
            line = max(2, max(whole.size) // 100)
            ImageDraw.Draw(whole).rectangle(
                (left, top, left + width, top + height), outline="#ff4f3f", width=line
            )
            found.append({**photo, "uri": thumbnail(np.asarray(whole), LONGEST)})
        return found

    def _camera(self, rows: pd.DataFrame) -> str:
        return self.veil.camera(str(places(rows.head(1))[0]))

    def _day(self, row: int) -> str:
        return when(self.table["timestamp"].iloc[row])


def sheet(rows: Sequence[Sequence[Pixels]], *, gap: int = 6) -> Pixels:
    """Images of one size, laid out in rows on grey.

    Args:
        rows: equally many images (size, size, 3) in each.
        gap: pixels between them.
    """
    size = len(rows[0][0])
    step = size + gap
    canvas = np.full((step * len(rows) + gap, step * len(rows[0]) + gap, 3), 128, np.uint8)
    for y, images in enumerate(rows):
        for x, image in enumerate(images):
            canvas[gap + y * step :, gap + x * step :][:size, :size] = image
    return canvas


def when(time: pd.Timestamp) -> str:
    """A moment for people; undated where it is not known."""
    return "undated" if pd.isna(time) else f"{time:%Y-%m-%d %H:%M}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
