"""Colour jitter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Color(Transform):
    """Change hue, saturation, brightness and contrast of each image by amounts of its own.

    Factors are drawn evenly from 1 - x to 1 + x; the hue is moved by up to x turns of the colour wheel.
    """

    name = "color"
    hue: float = Field(0.02, ge=0, le=0.5, description="the most that the hue moves, in turns of the wheel")
    saturation: float = Field(
        0.2, ge=0, le=1, description="the most that saturation changes, as a share of it"
    )
    brightness: float = Field(
        0.2, ge=0, le=1, description="the most that brightness changes, as a share of it"
    )
    contrast: float = Field(0.2, ge=0, le=1, description="the most that contrast changes, as a share of it")
    share: float = Field(1.0, gt=0, le=1, description="share of images that are changed")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 3, size, size) in [0, 1] to the same."""
        from kornia.augmentation import ColorJitter

        jitter: Callable[[Tensor], Tensor] = ColorJitter(
            self.brightness, self.contrast, self.saturation, self.hue, p=self.share
        )
        return jitter
