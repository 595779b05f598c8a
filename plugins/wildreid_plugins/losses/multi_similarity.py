"""Multi-similarity loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class MultiSimilarity(Loss):
    """Weigh each pair by its own similarity and by the others of its anchor.

    For an anchor with similarities s_p to its own animal and s_n to others:
    L = 1/α log(1 + Σ_p e^(-α (s_p - λ))) + 1/β log(1 + Σ_n e^(β (s_n - λ))), the mean over anchors.
    The paper mines pairs first: use it with the miner of the same name.

    Source: Wang et al. 2019, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning".
    """

    name = "multi-similarity"
    alpha: float = Field(2.0, gt=0, description="α: how sharply positives are weighed")
    beta: float = Field(50.0, gt=0, description="β: how sharply negatives are weighed")
    base: float = Field(0.5, ge=-1, le=1, description="λ: the cosine similarity that parts the two")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns no parameters."""
        from pytorch_metric_learning import losses

        loss: Objective = losses.MultiSimilarityLoss(alpha=self.alpha, beta=self.beta, base=self.base)
        return loss
