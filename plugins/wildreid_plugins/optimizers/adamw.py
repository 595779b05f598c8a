"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid_plugins.optimizers.rates import Rated

if TYPE_CHECKING:
    import torch


class AdamW(Rated):
    """Adam with weight decay apart from the gradient: each step takes rate × decay of a weight off it.

    Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    name = "adamw"
    backbone_decay: float = Field(0.05, ge=0, description="weight decay of the backbone")
    head_decay: float = Field(0.05, ge=0, description="weight decay of the head")
    beta1: float = Field(0.9, ge=0, lt=1, description="memory of the mean gradient")
    beta2: float = Field(0.999, ge=0, lt=1, description="memory of the mean squared gradient")

    def of(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """AdamW over these groups, in one fused kernel a group."""
        import torch

        return torch.optim.AdamW(groups, betas=(self.beta1, self.beta2), fused=True)
