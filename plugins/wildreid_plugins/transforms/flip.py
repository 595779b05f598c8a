"""Horizontal flip, for those who know that it is right for their animals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Flip(Transform):
    """Mirror some images left to right. Off unless asked for, and for most animals it should stay off.

    The markings of an animal's left and right side are not mirror images: a mirrored left flank is the right
    flank of an animal that does not exist, and teaches the network to take two animals for one. It may help for
    faces seen from the front.
    """

    name = "flip"
    share: float = Field(0.0, ge=0, le=1, description="share of images that are mirrored; 0 switches it off")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        from kornia.augmentation import RandomHorizontalFlip

        flip: Callable[[Tensor], Tensor] = RandomHorizontalFlip(p=self.share)
        return flip
