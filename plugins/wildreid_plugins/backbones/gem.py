"""Generalised-mean pooling, between the average and the maximum."""

from __future__ import annotations

from typing import Any

from wildreid.errors import UserError


def use_gem(model: Any, name: str) -> None:
    """Put generalised-mean pooling in the place of a timm model's own pooling.

    Over positions x: (mean x^p)^(1/p), with one learned p that starts at 3; p = 1 is the average, a large p
    the maximum. Values below 1e-6 are taken for 1e-6.

    Source: Radenović et al. 2018, "Fine-tuning CNN Image Retrieval with No Human Annotation", equation 3.

    Raises:
        UserError: the network does not pool over a map of features.
    """
    import torch
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from torch import Tensor, nn

    class GeM(nn.Module):
        def __init__(self, dims: tuple[int, int], flatten: bool) -> None:
            super().__init__()
            self.power = nn.Parameter(torch.full((1,), 3.0))
            self.dims, self.keep = dims, not flatten

        def forward(self, features: Tensor) -> Tensor:
            powered = features.float().clamp(min=1e-6).pow(self.power).mean(self.dims, keepdim=self.keep)
            return powered.pow(1 / self.power).to(features.dtype)

    places = [place for place, module in model.named_modules() if isinstance(module, SelectAdaptivePool2d)]
    if len(places) != 1:
        raise UserError(
            f"{name} does not pool over a map of features, so generalised-mean pooling cannot be used in it",
            where="backbone.pool",
            cure="leave backbone.pool at 'own'",
        )
    old = model.get_submodule(places[0])
    dims = getattr(old.pool, "dim", (2, 3))
    flatten = isinstance(old.flatten, nn.Flatten) or getattr(old.pool, "flatten", False) is True
    model.set_submodule(places[0], GeM(dims, flatten))
