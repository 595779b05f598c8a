"""Grey pixels as features: what a score must beat before it says anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import Field

from wildreid.kinds import Backbone

if TYPE_CHECKING:
    from wildreid.kinds import Features


class Pixels(Backbone):
    """The image itself, small and grey: an honest floor for every network.

    Each image's own mean is taken off, so that the cosine of two is the correlation of their pixels and not
    their common brightness. It has no parameters: take the head ``identity`` and ``training.epochs: 0``.
    """

    name = "pixels"
    size: int = Field(32, ge=4, le=128, description="pixels a side that images are shrunk to")

    def build(self) -> Features:
        """(N, 3, any, any) to (N, size × size)."""
        import torch
        from torch import Tensor, nn
        from torch.nn import functional as F

        side = self.size

        class Grey(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.width, self.size = side * side, side
                self.mean, self.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
                self.stages = ()
                # the luma of ITU-R BT.601
                self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]), persistent=False)

            def forward(self, images: Tensor) -> Tensor:
                return self._small(images).flatten(1)

            def places(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
                small = self._small(images).detach().requires_grad_()
                return small.flatten(1), (small,)

            def _small(self, images: Tensor) -> Tensor:
                luma = cast("Tensor", self.luma).to(images.dtype)
                grey = torch.einsum("nchw,c->nhw", images, luma)
                small = F.adaptive_avg_pool2d(grey[:, None], side)
                return small - small.mean((2, 3), keepdim=True)

        return cast("Features", Grey())
