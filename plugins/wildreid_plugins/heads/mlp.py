"""A small network between features and embedding."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Head

if TYPE_CHECKING:
    from torch import nn


class Mlp(Head):
    """Hidden layers with ReLU, then a linear projection to the embedding.

    Batch normalisation stands before each matrix, that of the features too, as in the embedder of "A guide to
    designing a bear face recognition system" (2024). The forms that normalise after a hidden layer leave the
    last matrix without: a network that begins with random weights may then put all images on one point.
    """

    name = "mlp"
    width: int = Field(
        512, ge=2, le=8192, description="numbers in an embedding; 512, 1024 and 2048 are usual"
    )
    depth: int = Field(
        1, ge=0, le=3, description="hidden layers before the projection; 0: the projection alone"
    )
    hidden: int = Field(1024, ge=2, le=8192, description="units in a hidden layer")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of hidden units left out of a training step")
    norm: Literal["before", "batch", "layer", "none"] = Field(
        "before",
        description="before: batch normalisation before each matrix; batch, layer: after each hidden one",
    )

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, self.width). Batch normalisation needs batches of at least two images."""
        from torch import nn

        norms = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
        widths = [width, *[self.hidden] * self.depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [*self._ahead(before), nn.Linear(before, after)]
            if self.norm in norms:
                layers.append(norms[self.norm](after))
            layers.append(nn.ReLU())
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        head = nn.Sequential(*layers, *self._ahead(widths[-1]), nn.Linear(widths[-1], self.width))
        head.width = self.width  # type: ignore[assignment]
        return head

    def _ahead(self, width: int) -> list[nn.Module]:
        from torch import nn

        return [nn.BatchNorm1d(width)] if self.norm == "before" else []
