"""Photos that are in memory already, shown to networks and matchers as those of files are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wildreid.data.foreground import behind, framed_array, tightened
from wildreid.data.images import fit
from wildreid.data.masks import masks_of_arrays
from wildreid.data.pixels import HeldImages, Pixels
from wildreid.data.placing import within
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHOLE = np.full((1, 1), 255, np.uint8)
"""The mask of a photo that is animal all over."""


class HeldPhotos(HeldImages):
    """`ImageRows` of photos in memory. Made by `photos_of_arrays`.

    Attributes:
        doubts: (rows,) why the mask of a photo is not used, so that it is looked at whole; empty where it is.
    """

    def __init__(
        self,
        pixels: Pixels,
        arrays: Sequence[Pixels],
        masks: Sequence[Pixels | None],
        doubts: Sequence[str],
        settings: Images,
    ) -> None:
        super().__init__(pixels)
        self.doubts = list(doubts)
        self._arrays, self._masks, self._settings = list(arrays), list(masks), settings

    def enlarged(self, row: int, size: int) -> Pixels:
        """One photo's animal at another size, as `ImageStore.enlarged` gives it of a file."""
        mask, settings = self._masks[row], self._settings
        return framed_array(
            self._arrays[row],
            mask=WHOLE if mask is None else mask,
            tighten=settings.tighten and mask is not None,
            size=size,
            margin=settings.margin,
        )

    def placed(self, row: int, size: int) -> NDArray[np.float32]:
        """Where the square of `enlarged` lies in the photo; see `wildreid.data.placing.placed`."""
        mask, (height, width) = self._masks[row], self._arrays[row].shape[:2]
        picture = (0, 0, width, height)
        if mask is None:
            return within(picture, picture, size)
        margin = self._settings.margin if self._settings.tighten else None
        return within(tightened(mask, margin, picture), picture, size)


def photos_of_arrays(
    arrays: Sequence[Pixels], settings: Images, *, foreground: Segmenter | None = None, device: str = "cpu"
) -> HeldPhotos:
    """What `wildreid.data.store.open_images` would give of photos in memory, (height, width, 3) each."""
    if foreground is None:
        pixels = np.stack([fit(array, settings.size, settings.fit) for array in arrays])
        return HeldPhotos(pixels, arrays, [None] * len(arrays), [""] * len(arrays), settings)
    images, used, doubts = [], [], []
    masks = masks_of_arrays(arrays, settings, foreground, device=device)
    for array, (mask, doubt) in zip(arrays, masks, strict=True):
        image = framed_array(
            array,
            mask=WHOLE if doubt else mask,
            tighten=settings.tighten and not doubt,
            size=settings.size,
            how=settings.fit,
            margin=settings.margin,
        )
        seed = hashlib.blake2b(array.tobytes(), digest_size=16).digest()
        images.append(image if doubt else behind(image, settings.background, seed=seed))
        used.append(None if doubt else mask)
        doubts.append(doubt)
    return HeldPhotos(np.stack(images)[..., :3].copy(), arrays, used, doubts, settings)
