"""Horizontal flip, for those who know that it is right for their animals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Flip(Transform):
    """Mirror some images left to right. In no recipe of ours, and for most animals it should stay so.

    The markings of an animal's left and right side are not mirror images: a mirrored left flank is the right
    flank of an animal that does not exist, and teaches the network to take two animals for one. It may help
    for faces seen from the front.
    """

    name = "flip"
    share: float = Field(0.5, gt=0, le=1, description="share of images that are mirrored")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        import torch

        def flip(images: Tensor) -> Tensor:
            chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < self.share
            return torch.where(chosen, images.flip(3), images)

        return flip
