"""Pixels by row, whatever holds them, and those of photos that are in memory already."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wildreid.data.foreground import behind, framed_array
from wildreid.data.images import fit
from wildreid.data.masks import masks_of_arrays
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images

Pixels = NDArray[np.uint8]


class ImageRows(Protocol):
    """Images of one size by row, whatever holds them: what is trained on, embedded and probed."""

    @property
    def keys(self) -> list[bytes]:
        """What each row's pixels depend on, as a hash; empty where there are none."""
        ...

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(rows,) whether the row's image can be had."""
        ...

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Pixels:
        """(len(rows), size, size, 3) uint8 of these rows, in this order."""
        ...


class HeldImages:
    """`ImageRows` that are in memory already, each of them usable.

    Args:
        pixels: (rows, size, size, 3) uint8.
    """

    def __init__(self, pixels: Pixels) -> None:
        self.usable, self._pixels = np.ones(len(pixels), bool), pixels

    def __len__(self) -> int:
        return len(self._pixels)

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Pixels:
        """These rows, as a copy."""
        return self._pixels[np.asarray(rows, np.int64)]

    @cached_property
    def keys(self) -> list[bytes]:
        """Hashes of the pixels."""
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self._pixels]


def images_of_arrays(
    arrays: Sequence[Pixels], settings: Images, *, foreground: Segmenter | None = None, device: str = "cpu"
) -> tuple[Pixels, list[str]]:
    """What `open_images` would give of photos in memory, (height, width, 3) each, and why masks are not used."""
    if foreground is None:
        return np.stack([fit(array, settings.size, settings.fit) for array in arrays]), [""] * len(arrays)
    images, doubts = [], []
    masks = masks_of_arrays(arrays, settings, foreground, device=device)
    for array, (mask, doubt) in zip(arrays, masks, strict=True):
        tighten = settings.tighten and not doubt
        image = framed_array(
            array,
            mask=np.full_like(mask, 255) if doubt else mask,
            tighten=tighten,
            size=settings.size,
            how=settings.fit,
            margin=settings.margin,
        )
        seed = hashlib.blake2b(array.tobytes(), digest_size=16).digest()
        images.append(image if doubt else behind(image, settings.background, seed=seed))
        doubts.append(doubt)
    return np.stack(images)[..., :3].copy(), doubts
