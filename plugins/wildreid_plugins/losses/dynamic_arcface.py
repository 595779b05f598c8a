"""ArcFace with a larger margin for individuals that have fewer photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildreid.data.table import Table
    from wildreid.kinds import Objective


class DynamicArcFace(Loss):
    """ArcFace whose margin is larger, the fewer training photos an individual has.

    With n photos an individual's margin is a n^(-λ) + b, a and b such that the rarest has ``rare`` and the
    commonest ``common``; where all have as many, all have the mean of the two. A few photos of a rare animal are
    otherwise satisfied at once, and common ones take all the room. With ``centers`` above 1 each individual has
    several directions, of which the nearest counts, as in `subcenter-arcface`. The margin is in degrees, and a
    miner weights images, as in `arcface`.

    Source: Ha et al. 2020, "Google Landmark Recognition 2020 Competition Third Place Solution", section 2.2.
    """

    name = "dynamic-arcface"
    rare: float = Field(28.6, ge=0, lt=90, description="margin of the rarest individual, in degrees")
    common: float = Field(11.5, ge=0, lt=90, description="margin of the commonest individual, in degrees")
    power: float = Field(0.25, gt=0, le=2, description="λ: how sharply the margin falls with the photos")
    scale: float = Field(64.0, gt=0, description="factor on the cosines before the softmax")
    centers: int = Field(1, ge=1, le=20, description="directions for each individual")

    def build(self, *, width: int, classes: int, table: Table | None = None) -> Objective:
        """Owns a (width, classes × centers) matrix of directions."""
        from wildreid_plugins.losses.margins import MarginSoftmax

        photos = [1] * classes
        if table is not None:
            photos = table["identity"].value_counts().sort_index().tolist()
        return MarginSoftmax(
            width=width, margins=self.margins(photos), scale=self.scale, centers=self.centers
        )

    def margins(self, photos: Sequence[int]) -> list[float]:
        """The margin of each individual in degrees, by its number of training photos."""
        powers = [count**-self.power for count in photos]
        low, high = min(powers), max(powers)
        if low == high:
            return [(self.rare + self.common) / 2] * len(photos)
        return [self.common + (self.rare - self.common) * (one - low) / (high - low) for one in powers]
