"""Circle loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class Circle(Loss):
    """Weigh each similarity by how far it is from where it should be.

    For an anchor with similarities s_p to its own animal and s_n to others:
    L = log(1 + Σ_n e^(γ [s_n + m]₊ (s_n - m)) · Σ_p e^(-γ [1 + m - s_p]₊ (s_p - 1 + m))), the weights in
    square brackets without gradient; the mean over the anchors where it is above zero.

    Source: Sun et al. 2020, "Circle Loss: A Unified Perspective of Pair Similarity Optimization".
    """

    name = "circle"
    margin: float = Field(0.4, ge=0, lt=1, description="m, in cosine similarity; the paper: 0.25 for people")
    scale: float = Field(
        80.0, gt=0, description="γ; the paper: 80 for retrieval, 128 for people, 256 for faces"
    )

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns no parameters."""
        from pytorch_metric_learning import losses

        loss: Objective = losses.CircleLoss(m=self.margin, gamma=self.scale)
        return loss
