"""Points of images on the animals alone: what the built-in matchers have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.artefacts import LocalFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Found = tuple[Floats, Floats, Floats]
    Find = Callable[[NDArray[np.uint8]], Sequence[Found]]


class Points:
    """Finds points and keeps the strongest ones that lie on the animal.

    Args:
        find: from (N, size, size, 3) uint8 to (n, 2) points, (n,) strengths and (n, width) descriptors of each.
        size: pixels a side.
        points: the most that are kept of an image.
        width: of a descriptor.
    """

    def __init__(self, find: Find, *, size: int, points: int, width: int) -> None:
        self._find, self.size, self.points, self.width = find, size, points, width

    def extract(self, images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> LocalFeatures:
        """Local features of (N, size, size, 3) images, where (N, size, size) masks are over 127."""
        at = np.zeros((len(images), self.points, 2), np.float16)
        descriptors = np.zeros((len(images), self.points, self.width), np.float16)
        counts = np.zeros(len(images), np.int64)
        found = zip(images, self._find(images), masks, strict=True)
        for number, (image, (xy, strength, looks), mask) in enumerate(found):
            if image.min() == image.max():  # some networks find points in black
                continue
            kept = np.clip(xy.astype(np.float16), 0, len(mask) - 1).reshape(-1, 2)  # where they will be
            x, y = np.rint(kept.astype(np.float32)).astype(int).T
            inside = np.flatnonzero(mask[y, x] > 127)
            best = inside[np.argsort(-strength[inside], kind="stable")][: self.points]
            counts[number] = len(best)
            at[number, : len(best)] = kept[best]
            descriptors[number, : len(best)] = looks[best]
        return LocalFeatures(at, descriptors, counts)


def tensor_of(images: NDArray[np.uint8], device: str) -> Any:
    """(N, 3, size, size) float in [0, 1] on a device."""
    import torch

    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)
