"""A softmax over the individuals' directions, the right one made harder by a margin of each individual or image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence


class MarginSoftmax(nn.Module):
    """ArcFace with margins that differ.

    Owns a (width, classes × centers) matrix of directions; of an individual's directions the nearest counts. As
    in `arcface`, cos θ - m sin m stands in place of cos(θ + m) where θ + m passes 180 degrees, and a miner weights
    images by how often it named them.

    Args:
        width: numbers in an embedding.
        margins: (classes,) the margin of each individual, in degrees.
        scale: factor on the cosines before the softmax.
        centers: directions of each individual.
        spread: standard deviation, in degrees, of what is added to the margin of each image, drawn again each
            time from torch's global generator; 0: nothing.
    """

    margins: Tensor

    def __init__(
        self, *, width: int, margins: Sequence[float], scale: float, centers: int = 1, spread: float = 0.0
    ) -> None:
        super().__init__()
        self.scale, self.centers, self.spread = scale, centers, math.radians(spread)
        self.register_buffer("margins", torch.tensor([math.radians(one) for one in margins]))
        self.W = nn.Parameter(torch.randn(width, len(margins) * centers))

    def forward(self, embeddings: Tensor, labels: Tensor, mined: tuple[Tensor, ...] | None = None) -> Tensor:
        """(N, width) embeddings of unit length and (N,) labels, to a scalar."""
        from pytorch_metric_learning.utils.loss_and_miner_utils import convert_to_weights

        cosine = embeddings @ F.normalize(self.W.to(embeddings.dtype), dim=0)
        cosine = cosine.view(len(cosine), -1, self.centers).amax(dim=2)
        margin = self.margins[labels].to(cosine.dtype)
        if self.spread:
            margin = (margin + self.spread * torch.randn_like(margin)).clamp(0, math.pi / 2)
        own = cosine.gather(1, labels[:, None])[:, 0].clamp(-1 + 1e-7, 1 - 1e-7)
        angle = torch.acos(own)
        harder = torch.where(
            angle + margin <= math.pi, torch.cos(angle + margin), own - margin * torch.sin(margin)
        )
        logits = self.scale * cosine.scatter(1, labels[:, None], harder[:, None])
        each = F.cross_entropy(logits, labels, reduction="none")
        weights: Tensor = convert_to_weights(mined, labels, dtype=each.dtype)
        return (each * weights).mean()
