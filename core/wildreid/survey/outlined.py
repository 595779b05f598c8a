"""Masks over photos: what is the animal, what was not chosen, and which photos are worked on whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from wildreid.data.masks import Masks
from wildreid.page import thumbnail
from wildreid.survey.pictures import LONGEST, Album, Pixels
from wildreid.survey.plots import Bars, histogram

EDGES = (0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90)
"""In percent of the crop."""
ANIMAL, OTHER = (40, 220, 90), (235, 60, 50)


class Outlined:
    """The masks of a table as its page shows them.

    Args:
        album: of the table's photos.
        masks: of its rows.

    Attributes:
        name: of the segmenter.
        background: what becomes of the place.
        tighten: whether images are cropped to the animal.
        whole: annotations that are worked on as whole images.
        good: the others.
        crowded: annotations whose mask has parts that do not touch.
        reasons: why they are worked on whole, and how many each, most first.
    """

    def __init__(self, album: Album, masks: Masks) -> None:
        self._album, self._masks = album, masks
        self.name = masks.segmenter.name
        self.background, self.tighten = masks.settings.background, masks.settings.tighten
        self._in_doubt = np.flatnonzero(masks.doubts != "")
        self._several = np.flatnonzero(masks.several)
        self.whole, self.crowded = len(self._in_doubt), len(self._several)
        self.good = len(masks.doubts) - self.whole
        self.reasons = Counter(masks.doubts[self._in_doubt].tolist()).most_common()

    def bars(self) -> Bars:
        """How many annotations have which share of animal."""
        share = 100 * self._masks.share
        words = ("share of the crop that is animal", "percent of the crop that is animal", "annotations")
        return histogram("masks", *words, share[np.isfinite(share)], EDGES)

    def spread(self, most: int) -> list[dict[str, Any]]:
        """Photos with a mask, from the smallest share of animal to the largest."""
        good = np.flatnonzero((self._masks.doubts == "") & np.isfinite(self._masks.share))
        order = good[np.argsort(self._masks.share[good], kind="stable")]
        return self._photos(order[np.linspace(0, len(order) - 1, min(most, len(order))).astype(int)])

    def chosen(self, most: int) -> list[dict[str, Any]]:
        """Photos with several parts."""
        return self._photos(self._several[:most])

    def doubtful(self, most: int) -> list[dict[str, Any]]:
        """Photos that are worked on whole, with what the segmenter said all the same."""
        return self._photos(self._in_doubt[:most])

    def listed(self, most: int) -> list[tuple[str, str]]:
        """Image and reason of those."""
        ids = self._album.table["id"]
        return [
            (self._album.veil.text(str(ids.iloc[row])), str(self._masks.doubts[row]))
            for row in self._in_doubt[:most]
        ]

    def _photos(self, rows: Sequence[int] | np.ndarray[Any, Any]) -> list[dict[str, Any]]:
        shares = self._masks.share
        found = []
        for row in map(int, rows):
            words = [f"{100 * shares[row]:.0f} % animal"] if np.isfinite(shares[row]) else []
            photo = self._album.photo(row, *words, *filter(None, [str(self._masks.doubts[row])]))
            pixels, said = self._album.pixels(row), self._masks.said(row)
            if pixels is not None and said is not None:
                photo["uri"] = thumbnail(outlined(pixels, *said), LONGEST)
            found.append(photo)
        return found


def outlined(pixels: Pixels, animal: Pixels, others: np.ndarray[Any, Any]) -> Pixels:
    """A photo with the outline of the animal, and of others, drawn in; all that is neither is paler.

    Args:
        pixels: (height, width, 3).
        animal: (side, side), 255 where the animal is, stretched over the photo.
        others: (side, side) whether a pixel is of an animal that was not chosen.
    """
    from scipy import ndimage

    height, width = pixels.shape[:2]
    drawn = pixels.astype(np.float32)
    masks = [
        np.asarray(Image.fromarray(mask.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR))
        > 127
        for mask in (animal, 255 * others.astype(np.uint8))
    ]
    drawn[~masks[0]] = 0.45 * drawn[~masks[0]] + 0.55 * 200
    for mask, colour in zip(masks, (ANIMAL, OTHER), strict=True):
        if mask.any():
            drawn[ndimage.binary_dilation(mask, iterations=2) & ~mask] = colour
    return drawn.astype(np.uint8)
