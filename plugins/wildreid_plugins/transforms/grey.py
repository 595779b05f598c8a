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
        from kornia.augmentation import RandomGrayscale

        grey: Callable[[Tensor], Tensor] = RandomGrayscale(p=self.share)
        return grey
