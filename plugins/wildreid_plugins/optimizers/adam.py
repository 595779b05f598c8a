"""Adam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid_plugins.optimizers.rates import Rated

if TYPE_CHECKING:
    import torch


class Adam(Rated):
    """Adam; weight decay is added to the gradient.

    Source: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization".
    """

    name = "adam"
    beta1: float = Field(0.9, ge=0, lt=1, description="memory of the mean gradient")
    beta2: float = Field(0.999, ge=0, lt=1, description="memory of the mean squared gradient")

    def of(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Adam over these groups, in one fused kernel a group."""
        import torch

        return torch.optim.Adam(groups, betas=(self.beta1, self.beta2), fused=True)
