"""Pixels by row, whatever holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
