"""What a segmenter and a matcher see of a photo, and the points that are found in it; plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crop:
    """The part of a photo in which a segmenter looks for one animal.

    Attributes:
        shape: (height, width) in pixels of the crop, and of the mask that is asked for.
        window: left, top, width and height of the crop in pixels of the upright photo.
        photo: (width, height) of the upright photo.
        box: left, top, width and height of the animal in the upright photo; None: it may be anywhere.
        row: the row of the table, by column.
        root: the folder that the row's paths are relative to.
        pixels: (height, width, 3) uint8; None for a segmenter that asks for none.
    """

    shape: tuple[int, int]
    window: tuple[int, int, int, int]
    photo: tuple[int, int]
    box: tuple[float, float, float, float] | None
    row: Mapping[str, Any]
    root: Path
    pixels: NDArray[np.uint8] | None = None

    def scaled(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in the crop of a box in the upright photo."""
        left, top, width, height = self.window
        across, down = self.shape[1] / width, self.shape[0] / height
        x, y = (box[0] - left) * across, (box[1] - top) * down
        return x, y, x + box[2] * across, y + box[3] * down


@dataclass(frozen=True)
class LocalFeatures:
    """Points of images and what each looks like, as a matcher found them; at most P points an image.

    Attributes:
        points: (N, P, 2) float16 x and y in pixels of the images, the strongest point first; 0 where there is none.
        descriptors: (N, P, width) float16; 0 where there is no point.
        counts: (N,) how many points each image has.
    """

    points: NDArray[np.float16]
    descriptors: NDArray[np.float16]
    counts: Ints

    def __len__(self) -> int:
        return len(self.counts)

    def take(self, rows: Any) -> LocalFeatures:
        """These images alone: rows as an array, a list or a slice."""
        return LocalFeatures(self.points[rows], self.descriptors[rows], self.counts[rows])
