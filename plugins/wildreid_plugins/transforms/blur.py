"""Gaussian blur."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Blur(Transform):
    """Blur some images, each by an amount of its own, as distance and shake do."""

    name = "blur"
    sigma: float = Field(1.5, gt=0.1, le=10, description="the largest width of the blur, in pixels")
    share: float = Field(0.2, gt=0, le=1, description="share of images that are blurred")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        from kornia.augmentation import RandomGaussianBlur

        side = 2 * min(round(2 * self.sigma) + 1, (size - 1) // 2) + 1
        blur: Callable[[Tensor], Tensor] = RandomGaussianBlur(
            (side, side), (0.1, self.sigma), border_type="reflect", p=self.share
        )
        return blur
