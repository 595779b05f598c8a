"""A table's photos as the model sees them, each with its key, burst and encounter."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.data.held import HeldPhotos, photos_of_arrays
from wildreid.data.store import ImageStore
from wildreid.data.table import Table, boxes
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.pipeline.reading import opened_with_pixels
from wildreid.recipe.settings import Encounters, Images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.identification.models import Model


@dataclass(frozen=True)
class Looked:
    """Annotations whose images were opened.

    Attributes:
        table: all of them, readable or not; with ``key``, ``visit`` and ``sequence`` where it is readable.
        images: their pixels, by row of the table; none where embeddings came in their place.
        usable: (rows,) whether there are any.
        reasons: why not, by row.
        doubts: (rows,) why an image is worked on whole, as its mask is missing or in doubt; empty where it is not.
        vectors: the embeddings of the usable rows, where those came.
    """

    table: Table
    images: ImageStore | HeldPhotos
    usable: NDArray[np.bool_]
    reasons: dict[int, str]
    doubts: NDArray[np.str_]
    vectors: Floats | None = None

    @property
    def photos(self) -> ImageStore | HeldPhotos | None:
        """The pixels; None where embeddings came in their place."""
        return self.images if self.vectors is None else None

    def embedded(self, model: Model, usable: Ints) -> Floats:
        """(usable, width) the embeddings of the rows that can be: those that came, or the model's."""
        return model.embed(self.images, usable) if self.vectors is None else self.vectors

    def whole(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> tuple[str, ...]:
        """A note on how many of these rows are worked on as whole images, and why; none where none is."""
        told = Counter(why for why in self.doubts[rows].tolist() if why).most_common()
        if not told:
            return ()
        reasons = ", ".join(f"{count} × {why}" for why, count in told)
        number = sum(count for _, count in told)
        return (f"{number} of the photos have no mask to rely on: they were looked at whole ({reasons})",)


def look(
    table: Table,
    images: Images,
    encounters: Encounters,
    *,
    named: bool,
    foreground: Segmenter | None = None,
    device: str = "cpu",
) -> Looked:
    """Open the images of a table and say which are one burst and, of named animals, one encounter.

    Args:
        table: any table.
        images: how the model wants them.
        encounters: what counts as one.
        named: take the identities for true; else they are looked at by nothing.
        foreground: what makes the masks that the model needs.
        device: that it may use.
    """
    rows = table.rows
    asked = table if named else table.with_rows(rows.assign(identity=pd.Series(pd.NA, rows.index, "string")))
    perceptual = named and encounters.near_duplicates
    found, store = opened_with_pixels(
        asked, images, encounters, perceptual=perceptual, foreground=foreground, device=device
    )
    met = found.table
    added = pd.DataFrame(
        {
            "key": keys(met.rows),
            "sequence": met["sequence"].to_numpy(),
            "visit": visits(met.rows, keys(met.rows)),
        },
        index=found.kept,
    )
    own = [name for name in rows.columns if name not in added]
    whole = table.with_rows(rows[own].join(added.astype("string")))
    reasons = {failure.row: failure.reason for failure in found.failures if failure.row is not None}
    return Looked(whole, store, store.usable, reasons, store.doubts)


def look_at_arrays(
    arrays: Sequence[NDArray[np.uint8]],
    images: Images,
    *,
    foreground: Segmenter | None = None,
    device: str = "cpu",
) -> Looked:
    """Pixels that are in memory already, (height, width, 3) each: images without a file or a date."""
    names = [f"image {number}" for number in range(len(arrays))]
    for name, array in zip(names, arrays, strict=True):
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
            raise UserError(f"{name} is {array.dtype} {array.shape}, not uint8 (height, width, 3)")
    held = photos_of_arrays(arrays, images, foreground=foreground, device=device)
    hashes = [hashlib.blake2b(array.tobytes(), digest_size=16).hexdigest() for array in arrays]
    rows = pd.DataFrame({"image": names, "identity": pd.NA, "key": hashes, "sequence": names, "visit": names})
    return Looked(Table.of(rows, Path.cwd()), held, held.usable, {}, np.array(held.doubts, str))


def visits(rows: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Camera and date of each row: what with an individual is an encounter. An undated photo stands alone.

    It says nothing that other rows decide, so that a gallery comes out the same in whatever order its photos
    came, and in however many steps.
    """
    return [
        f"{'?' if pd.isna(camera) else camera}@{f'undated@{key}' if pd.isna(when) else when.date().isoformat()}"
        for camera, when, key in zip(rows["camera"], rows["timestamp"], keys, strict=True)
    ]


def keys(rows: pd.DataFrame) -> list[str]:
    """What an annotation is known by in a gallery: the hash of its file's bytes, and its box."""
    return [
        content if box is None else "_".join([content, *(str(round(side)) for side in box)])
        for content, box in zip(rows["content"], boxes(rows), strict=True)
    ]
