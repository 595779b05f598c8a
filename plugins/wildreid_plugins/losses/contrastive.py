"""Contrastive loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class Contrastive(Loss):
    """Pull pairs of one animal together, push pairs of two animals apart up to a margin.

    With d the straight distance of unit vectors (0 to 2, as in pytorch-metric-learning):
    L = mean of max(0, d - positive_margin) over pairs of one animal
    + mean of max(0, negative_margin - d) over pairs of two,
    each mean over the pairs where it is above zero. The paper squares both terms.

    Source: Hadsell et al. 2006, "Dimensionality Reduction by Learning an Invariant Mapping".
    """

    name = "contrastive"
    positive_margin: float = Field(0.0, ge=0, lt=2, description="nearer than this is near enough")
    negative_margin: float = Field(1.0, gt=0, le=2, description="farther than this is far enough")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns no parameters."""
        from pytorch_metric_learning import losses

        loss: Objective = losses.ContrastiveLoss(
            pos_margin=self.positive_margin, neg_margin=self.negative_margin
        )
        return loss
