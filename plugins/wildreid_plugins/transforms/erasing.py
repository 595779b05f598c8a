"""Random erasing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Erasing(Transform):
    """Blacken a rectangle of some images, as a branch or another animal would hide it.

    Source: Zhong et al. 2020, "Random Erasing Data Augmentation".
    """

    name = "erasing"
    area: float = Field(0.2, gt=0, lt=1, description="the largest part of the image's area that is hidden")
    share: float = Field(0.5, gt=0, le=1, description="share of images that lose a rectangle")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        from kornia.augmentation import RandomErasing

        erase: Callable[[Tensor], Tensor] = RandomErasing(
            scale=(min(0.02, self.area / 2), self.area), ratio=(0.3, 3.3), p=self.share
        )
        return erase
