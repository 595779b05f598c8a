"""ElasticFace-Arc: ArcFace with a margin that is drawn for each image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class ElasticArcFace(Loss):
    """ArcFace with a margin drawn again for each image, from a normal distribution.

    One margin for all asks of an individual that varies much what one that varies little gives; drawn ones leave
    room. They are drawn from torch's global generator and kept between 0 and 90 degrees. A miner weights images,
    as in `arcface`.

    Source: Boutros et al. 2022, "ElasticFace: Elastic Margin Loss for Deep Face Recognition" (ElasticFace-Arc;
    there 0.5 and 0.0125 radians).
    """

    name = "elastic-arcface"
    margin: float = Field(28.6, ge=0, lt=90, description="mean of the margins, in degrees")
    spread: float = Field(0.72, gt=0, lt=45, description="standard deviation of the margins, in degrees")
    scale: float = Field(64.0, gt=0, description="factor on the cosines before the softmax")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns a (width, classes) matrix of directions."""
        from wildreid_plugins.losses.margins import MarginSoftmax

        return MarginSoftmax(
            width=width, margins=[self.margin] * classes, scale=self.scale, spread=self.spread
        )
