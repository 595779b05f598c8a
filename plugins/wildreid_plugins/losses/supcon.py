"""Supervised contrastive loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.kinds import Objective


class SupCon(Loss):
    """Pick out all images of the anchor's animal among the batch, by a softmax.

    For an anchor with P positives p and all others a: L = -1/P Σ_p log( e^(s_p/τ) / Σ_a e^(s_a/τ) ), s the
    cosine similarity; the mean over anchors where it is above zero.

    Source: Khosla et al. 2020, "Supervised Contrastive Learning", L_out (equation 2).
    """

    name = "supcon"
    temperature: float = Field(0.1, gt=0, le=1, description="τ: small makes near negatives count more")

    def build(self, *, width: int, classes: int) -> Objective:
        """Owns no parameters."""
        from pytorch_metric_learning import losses

        loss: Objective = losses.SupConLoss(temperature=self.temperature)
        return loss
