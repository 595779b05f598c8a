"""Grey images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Grey(Transform):
    """Take the colour from some images, as infrared cameras and dusk do."""

    name = "grey"
    share: float = Field(0.1, gt=0, le=1, description="share of images that lose their colour")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        import torch

        luma = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601

        def grey(images: Tensor) -> Tensor:
            chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < self.share
            plain = torch.einsum("nchw,c->nhw", images, luma.to(images)).unsqueeze(1)
            return torch.where(chosen, plain, images)

        return grey
