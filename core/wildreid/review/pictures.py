"""Pictures by the key of an annotation alone, encoded again from pixels, so that nothing but pixels goes out."""

from __future__ import annotations

import hashlib
import io
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd
from PIL import Image

from wildreid.data.frames import file_of
from wildreid.data.images import MAX_PIXELS, read
from wildreid.data.paths import outside
from wildreid.data.table import boxes
from wildreid.errors import UserError
from wildreid.files import hash_of_file, read_json
from wildreid.gallery import thumbnails
from wildreid.gallery.store import Gallery
from wildreid.review.applying import Newcomers
from wildreid.review.beside import Beside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.data.images import Box

    Pixels = NDArray[np.uint8]

Form = Literal["animal", "small", "frame"]
LONGEST = 1280
"""Pixels on the longer side of a picture, where the photo is at hand; else there is the gallery's thumbnail."""


class _Gone(Exception):
    """There is no such picture now."""


class Pictures:
    """The pictures of one gallery, and of new photos.

    Args:
        gallery: its thumbnails are shown.
        beside: where its photos are, if they are at hand.
    """

    def __init__(self, gallery: Gallery, beside: Beside | None = None) -> None:
        self.gallery, self.photos = gallery, beside.photos if beside else None
        self.newcomers: Newcomers | None = None
        self._kept = lru_cache(256)(self._encoded)

    def receive(self, newcomers: Newcomers) -> None:
        """Show these photos too."""
        self.newcomers = newcomers
        self._kept.cache_clear()

    def of(self, key: str, form: Form = "animal") -> bytes | None:
        """A JPEG; None where there is no such annotation, its photo is private or gone.

        Args:
            key: of the annotation.
            form: the animal, the animal as small as a thumbnail, or the whole photo.
        """
        if self._new_row(key) is None and key not in self.gallery.state.row_of:
            return None
        try:
            return self._kept(key, form)
        except _Gone:
            return None

    @cached_property
    def _margin(self) -> float:
        """Around a box, as in the gallery's thumbnails: what its model says of photos."""
        from wildreid.identification.models import DESCRIPTION, MODEL

        try:
            return float(read_json(self.gallery.folder / MODEL / DESCRIPTION)["images"]["margin"])
        except (UserError, KeyError, TypeError, ValueError):
            return 0.0

    def _encoded(self, key: str, form: Form) -> bytes:
        row = self._new_row(key)
        pixels = self._held(key, form) if row is None else self._new(row, form)
        if pixels is None:
            raise _Gone
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=85)
        return out.getvalue()

    def _new_row(self, key: str) -> int | None:
        if self.newcomers is None:
            return None
        return self.newcomers.rows_of.get(key)

    def _new(self, row: int, form: Form) -> Pixels | None:
        assert self.newcomers is not None
        table, images = self.newcomers.found.table, self.newcomers.opened.model.images
        if table.withheld(row) or (form == "frame" and _private(table.rows, row)):
            return None
        longest = thumbnails.LONGEST if form == "small" else LONGEST
        try:
            if form == "frame":
                path = file_of(table.root, str(table["image"].iloc[row]))
                return read(path, max_pixels=images.max_pixels, longest=longest)
            return table.crop(row, margin=images.margin, max_pixels=images.max_pixels, longest=longest)
        except (UserError, OSError):
            return None  # it is gone meanwhile

    def _held(self, key: str, form: Form) -> Pixels | None:
        """Of the gallery: from its photo, where that is at hand and still what it was; else its thumbnail."""
        state = self.gallery.state
        row = state.row_of.get(key)
        if row is None:
            return None
        found = None
        if self.photos is not None and form != "small":
            (box,) = boxes(state.rows.iloc[[row]])
            if not (_private(state.rows, row) and (box is None or form == "frame")):
                image = str(state.rows["image"].iloc[row])
                margin = 0.0 if form == "frame" else self._margin
                found = _at_hand(self.photos, image, key, None if form == "frame" else box, margin)
        return thumbnails.load(self.gallery.folder, key) if found is None and form != "frame" else found


def _at_hand(photos: Path, image: str, key: str, box: Box | None, margin: float) -> Pixels | None:
    """A photo in this folder; None where it is not there, lies elsewhere, or is not the one that was added."""
    try:
        if outside(pd.Series([image])).any():  # a gallery from elsewhere may say anything
            return None
        path = file_of(photos, image)
        if _content(path) != key.partition("_")[0]:
            return None
        return read(path, box=box, margin=margin, max_pixels=MAX_PIXELS, longest=LONGEST)
    except (UserError, OSError, ValueError):
        return None


def _content(path: Path) -> str:
    return hash_of_file(path, lambda: hashlib.blake2b(digest_size=16))


def _private(rows: pd.DataFrame, row: int) -> bool:
    if "private" not in rows:
        return False
    told = rows["private"].iloc[row]
    return bool(pd.notna(told) and told)
