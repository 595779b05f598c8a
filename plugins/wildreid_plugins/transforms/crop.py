"""Random resized crop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Crop(Transform):
    """Cut a part of each image, of its own size, shape and place, and stretch it to the full square.

    Source: Szegedy et al. 2015, "Going Deeper with Convolutions", section 6.
    """

    name = "crop"
    area: float = Field(0.7, gt=0, le=1, description="the smallest part of the image's area that is kept")
    aspect: float = Field(1.15, ge=1, le=3, description="the most that a side is longer than the other")
    share: float = Field(1.0, gt=0, le=1, description="share of images that are cropped")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        import torch

        from wildreid_plugins.transforms.warp import warp

        def cut(images: Tensor) -> Tensor:
            chosen, area, aspect, across, down = torch.rand(5, len(images), device=images.device)
            area = self.area + (1 - self.area) * area
            aspect = torch.exp((aspect * 2 - 1) * math.log(self.aspect))
            apply = chosen < self.share
            # half a side, as a share of the image's
            width = torch.where(apply, (area * aspect).sqrt().clamp(max=1), 1)
            height = torch.where(apply, (area / aspect).sqrt().clamp(max=1), 1)
            none = torch.zeros_like(area)
            left, top = (across * 2 - 1) * (1 - width), (down * 2 - 1) * (1 - height)
            return warp(images, torch.stack([width, none, left, none, height, top], 1).view(-1, 2, 3))

        return cut
