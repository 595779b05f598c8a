"""Pictures by the key of an annotation alone, encoded again from pixels, so that nothing but pixels goes out."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from wildreid.data.frames import file_of
from wildreid.data.images import read
from wildreid.errors import UserError
from wildreid.gallery import thumbnails
from wildreid.gallery.store import Gallery
from wildreid.review.applying import Newcomers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 1280
"""Pixels on the longer side of a new photo's picture; of a gallery's photo there is its thumbnail."""


class Pictures:
    """The pictures of one gallery, and of new photos.

    Args:
        gallery: its thumbnails are shown.
    """

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.newcomers: Newcomers | None = None
        self.of = lru_cache(64)(self._made)

    def _made(self, key: str, frame: bool, change: int) -> bytes | None:
        """A JPEG; None where there is no such annotation, its photo is private or gone.

        Args:
            key: of the annotation.
            frame: the whole photo in place of the animal.
            change: the gallery's, so that what is kept is not older than it.
        """
        pixels = self._new(key, frame)
        if pixels is None and not frame and key in self.gallery.state.row_of:
            pixels = thumbnails.load(self.gallery.folder, key)
        if pixels is None:
            return None
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=85)
        return out.getvalue()

    def _new(self, key: str, frame: bool) -> NDArray[np.uint8] | None:
        if self.newcomers is None:
            return None
        table = self.newcomers.found.table
        found = table["key"].eq(key).fillna(False).to_numpy()
        if not found.any():
            return None
        row = int(found.argmax())
        private = table.rows.get("private")
        if table.withheld(row) or (frame and private is not None and bool(private.fillna(False).iloc[row])):
            return None
        images = self.newcomers.opened.model.images
        try:
            if frame:
                path = file_of(table.root, str(table["image"].iloc[row]))
                return read(path, max_pixels=images.max_pixels, longest=LONGEST)
            return table.crop(row, margin=images.margin, max_pixels=images.max_pixels, longest=LONGEST)
        except (UserError, OSError):
            return None  # it is gone meanwhile
