"""Rotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Rotation(Transform):
    """Turn each image by an angle of its own; what comes in from outside is black."""

    name = "rotation"
    degrees: float = Field(10.0, gt=0, le=180, description="the largest angle to either side")
    share: float = Field(1.0, gt=0, le=1, description="share of images that are turned")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        from kornia.augmentation import RandomRotation

        turn: Callable[[Tensor], Tensor] = RandomRotation(self.degrees, p=self.share)
        return turn
