"""One matrix between features and embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from wildreid.kinds import Head

if TYPE_CHECKING:
    from torch import nn


class Linear(Head):
    """One linear layer from features to embedding, batch normalisation before it.

    The features of a network that begins with random weights are nearly alike for all images. Without the
    normalisation so are their embeddings, which training then draws together on one point.
    """

    name = "linear"
    before: ClassVar[dict[str, str]] = {"norm": "none"}
    width: int = Field(
        512, ge=2, le=8192, description="numbers in an embedding; 512, 1024 and 2048 are usual"
    )
    bias: bool = Field(True, description="add a learned constant")
    norm: Literal["batch", "none"] = Field("batch", description="normalisation of the features before it")

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, self.width). Batch normalisation needs batches of at least two images."""
        from torch import nn

        head: nn.Module = nn.Linear(width, self.width, bias=self.bias)
        if self.norm == "batch":
            head = nn.Sequential(nn.BatchNorm1d(width), head)
        head.width = self.width  # type: ignore[assignment]
        return head
