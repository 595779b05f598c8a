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
        import torch

        from wildreid_plugins.transforms.warp import warp

        def turn(images: Tensor) -> Tensor:
            drawn, chosen = torch.rand(2, len(images), device=images.device)
            angles = (drawn * 2 - 1) * torch.pi * self.degrees / 180 * (chosen < self.share)
            cos, sin, none = angles.cos(), angles.sin(), torch.zeros_like(angles)
            return warp(images, torch.stack([cos, -sin, none, sin, cos, none], 1).view(-1, 2, 3))

        return turn
