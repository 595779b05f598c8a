"""Triplet margin loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class Triplet(Loss):
    """Pull images of one animal nearer than any other animal's, by a margin.

    For an anchor a, a positive p and a negative n with distance d: L = max(0, d(a,p) - d(a,n) + margin), the
    mean over the triplets where it is above zero. With ``cosine``, d is 1 - cosine (0 to 2); with
    ``euclidean`` it is the straight distance of unit vectors (0 to 2), as in FaceNet but not squared.

    Source: Schroff et al. 2015, "FaceNet: A Unified Embedding for Face Recognition and Clustering".
    """

    name = "triplet"
    margin: float = Field(0.2, gt=0, le=2, description="how much nearer, in the distance below")
    distance: Literal["cosine", "euclidean"] = Field("cosine", description="distance of two embeddings")
    swap: bool = Field(False, description="use the positive's distance to the negative where that is smaller")
    smooth: bool = Field(False, description="log(1 + exp(·)) in place of max(0, ·)")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns no parameters."""
        from pytorch_metric_learning import distances, losses

        distance = distances.CosineSimilarity() if self.distance == "cosine" else distances.LpDistance()
        loss: Objective = losses.TripletMarginLoss(
            margin=self.margin, swap=self.swap, smooth_loss=self.smooth, distance=distance
        )
        return loss
