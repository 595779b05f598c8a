"""Test-time views: in how many forms an embedder looks at one photo, and what each is."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import interpolate

from wildreid.recipe.settings import Embedding


class Look(NamedTuple):
    """One view of a photo.

    Attributes:
        crop: the share of each side, around the middle, that is looked at.
        scale: by how much the network's input is enlarged.
        flipped: whether left and right are exchanged.
    """

    crop: float = 1.0
    scale: float = 1.0
    flipped: bool = False

    def __str__(self) -> str:
        return f"{self.crop:g}|{self.scale:g}|{self.flipped:d}"

    def of(self, images: Tensor) -> Tensor:
        """(N, 3, size, size) to (N, 3, round(size × scale), the same)."""
        size = images.shape[-1]
        wanted, side = round(size * self.scale), round(size * self.crop)
        if side != size:
            start = (size - side) // 2
            images = images[..., start : start + side, start : start + side]
        if side != wanted:
            images = interpolate(images, (wanted, wanted), mode="bilinear", antialias=wanted < side)
        return images.flip(-1) if self.flipped else images


PLAIN = (Look(),)


def looks(settings: Embedding) -> tuple[Look, ...]:
    """Every view that a recipe asks for; one, the photo as it is, by default."""
    flips = (False, True) if settings.flip else (False,)
    return tuple(Look(*one) for one in product(settings.crops, settings.scales, flips))
