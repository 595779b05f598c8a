"""Separate rates and weight decays for backbone, head and loss: what all optimizers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.kinds import Optimizer

if TYPE_CHECKING:
    import torch
    from torch import nn


class Rated(Optimizer):
    """An optimizer with a learning rate and a weight decay for each of backbone, head and loss.

    Weight decay never touches vectors, that is biases and the scales of norms.
    """

    backbone_rate: float = Field(1e-4, ge=0, description="learning rate of the backbone's last stage")
    head_rate: float = Field(1e-3, ge=0, description="learning rate of the head")
    loss_rate: float = Field(1e-3, ge=0, description="learning rate of the loss's own parameters")
    backbone_decay: float = Field(0.0, ge=0, description="weight decay of the backbone")
    head_decay: float = Field(0.0, ge=0, description="weight decay of the head")
    loss_decay: float = Field(0.0, ge=0, description="weight decay of the loss's own parameters")
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="a stage's rate as a share of the next one's: early stages learn slower"
    )

    @abstractmethod
    def of(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """The optimizer over torch's parameter groups, each with its ``lr`` and ``weight_decay``."""

    def build(self, *, groups: Mapping[str, list[nn.Parameter]]) -> torch.optim.Optimizer:
        """An optimizer over the named groups; torch's groups carry their ``name``."""
        rates = {"backbone": self.backbone_rate, "head": self.head_rate, "loss": self.loss_rate}
        decays = {"backbone": self.backbone_decay, "head": self.head_decay, "loss": self.loss_decay}
        after = sum(name.startswith("backbone.") for name in groups)
        parts: list[dict[str, Any]] = []
        for name, parameters in groups.items():
            part = name.partition(".")[0]
            rate = rates[part]
            if part == "backbone":
                after -= 1
                rate *= self.layer_decay**after
            vectors = [parameter for parameter in parameters if parameter.ndim < 2]
            matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
            for chosen, decay in ((matrices, decays[part]), (vectors, 0.0)):
                if chosen:
                    parts.append({"params": chosen, "lr": rate, "weight_decay": decay, "name": name})
        return self.of(parts)
