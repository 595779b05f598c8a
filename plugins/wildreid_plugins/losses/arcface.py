"""ArcFace: classify the training individuals, with a margin in angle."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class ArcFace(Loss):
    """Classify the training individuals by angle, the right one made harder by a margin.

    Each individual has a learned direction W_j. With θ_j the angle between embedding and W_j, y the right
    individual, m the margin and s the scale:
    L = -log( e^(s cos(θ_y + m)) / (e^(s cos(θ_y + m)) + Σ_{j≠y} e^(s cos θ_j)) ).
    The margin is given in degrees, as in pytorch-metric-learning; 28.6 degrees are the paper's 0.5 radians.
    Where θ_y + m passes 180 degrees, cos θ_y - m sin m (m in radians) stands in place of cos(θ_y + m), which
    would rise again: so it is in the paper's own code and in pytorch-metric-learning.

    A miner does not choose pairs for this loss, which has none: an image counts as often as the miner named
    it, divided by the count of the one named most. Images that were not named do not count; where none was
    named, all do. The loss is then smaller than without a miner, with `hard` about half (the mean weight was
    0.55), and so is its gradient: a miner acts like a lower rate, and losses with and without one cannot be
    compared.

    Source: Deng et al. 2019, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition".
    """

    name = "arcface"
    margin: float = Field(28.6, ge=0, lt=90, description="angle added to the right individual's, in degrees")
    scale: float = Field(64.0, gt=0, description="factor on the cosines before the softmax")
    smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the right answer that is spread over all individuals"
    )

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns a (width, classes) matrix of directions."""
        from pytorch_metric_learning import losses
        from torch import nn

        loss = losses.ArcFaceLoss(
            num_classes=classes, embedding_size=width, margin=self.margin, scale=self.scale
        )
        if self.smoothing:
            loss.cross_entropy = nn.CrossEntropyLoss(reduction="none", label_smoothing=self.smoothing)
        return cast("Objective", loss)
