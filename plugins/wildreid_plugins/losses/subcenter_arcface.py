"""Sub-centre ArcFace: several directions an individual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class SubcenterArcFace(Loss):
    """ArcFace with several directions for each individual, of which the nearest counts.

    Room for an individual that looks different from its two sides or seasons, and for wrong labels: they
    gather at a direction of their own. The margin is in degrees, and a miner weights images, as in `arcface`.

    Source: Deng et al. 2020, "Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy Web Faces".
    """

    name = "subcenter-arcface"
    margin: float = Field(28.6, ge=0, lt=90, description="angle added to the right individual's, in degrees")
    scale: float = Field(64.0, gt=0, description="factor on the cosines before the softmax")
    centers: int = Field(3, ge=1, le=20, description="directions for each individual")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns a (width, classes × centers) matrix of directions."""
        from pytorch_metric_learning import losses

        loss: Objective = losses.SubCenterArcFaceLoss(
            num_classes=classes,
            embedding_size=width,
            margin=self.margin,
            scale=self.scale,
            sub_centers=self.centers,
        )
        return loss
