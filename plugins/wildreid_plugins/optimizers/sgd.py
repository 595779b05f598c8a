"""Gradient descent with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from wildreid_plugins.optimizers.rates import Rated

if TYPE_CHECKING:
    import torch


class Sgd(Rated):
    """Stochastic gradient descent with momentum.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
    """

    name = "sgd"
    backbone_rate: float = Field(1e-3, ge=0, description="learning rate of the backbone's last stage")
    head_rate: float = Field(1e-2, ge=0, description="learning rate of the head")
    loss_rate: float = Field(1e-2, ge=0, description="learning rate of the loss's own parameters")
    momentum: float = Field(0.9, ge=0, lt=1, description="share of the last step that is kept")
    nesterov: bool = Field(False, description="look ahead by the momentum before taking the gradient")

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("'nesterov' needs a momentum above 0")
        return self

    def of(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """SGD over these groups, in one fused kernel a group."""
        import torch

        return torch.optim.SGD(groups, momentum=self.momentum, nesterov=self.nesterov, fused=True)
