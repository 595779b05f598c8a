"""Other backgrounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Transform

if TYPE_CHECKING:
    from torch import Tensor


class Background(Transform):
    """Put some animals before another photo's place, or before noise, drawn again each time.

    The places are those of the other photos of the batch; where an animal stands in one, the colours around it are
    drawn together over it. Needs the recipe's ``foreground``, with ``images.background: keep``, and comes first.

    Source: after Xiao et al. 2021, "Noise or Signal: The Role of Image Backgrounds in Object Recognition".
    """

    name = "background"
    masked = True
    source: Literal["photos", "noise"] = Field("photos", description="what is put behind the animal")
    share: float = Field(0.5, gt=0, le=1, description="share of images whose background is replaced")

    def build(self, *, size: int) -> Callable[[Tensor], Tensor]:
        """(N, 4, size, size) in [0, 1], the mask last, to the same."""
        import torch

        def replace(images: Tensor) -> Tensor:
            count, place = len(images), images.device
            pixels, animal = images[:, :3], images[:, 3:]
            if self.source == "noise":
                other = torch.rand_like(pixels)
            elif count < 2:
                raise UserError(
                    "a single image has no other photo to take a background from",
                    where="transforms",
                    cure="set the transform background's source to noise, or leave training.views out",
                )
            else:
                step = torch.randint(1, count, (count,), device=place)
                partner = (torch.arange(count, device=place) + step) % count
                other = filled(pixels, 1 - animal)[partner]
            chosen = torch.rand(count, 1, 1, 1, device=place) < self.share
            mixed = torch.where(chosen, animal * pixels + (1 - animal) * other, pixels)
            return torch.cat([mixed, animal], dim=1)

        return replace


def filled(pixels: Tensor, known: Tensor) -> Tensor:
    """(N, 3, H, W) pixels where they are known, elsewhere the mean colour of those around that are.

    Source: the push-pull pyramid of Gortler et al. 1996, "The Lumigraph".

    Args:
        pixels: (N, 3, H, W).
        known: (N, 1, H, W) from 0 to 1.
    """
    from torch.nn import functional as F

    if max(pixels.shape[2:]) == 1:
        return pixels
    weight = F.avg_pool2d(known, 2, ceil_mode=True)
    mean = F.avg_pool2d(pixels * known, 2, ceil_mode=True) / weight.clamp_min(1e-6)
    below = filled(mean, (4 * weight).clamp_max(1))
    spread = F.interpolate(below, pixels.shape[2:], mode="bilinear", align_corners=False)
    return known * pixels + (1 - known) * spread
