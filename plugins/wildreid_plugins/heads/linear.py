"""One matrix between features and embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Head

if TYPE_CHECKING:
    from torch import nn


class Linear(Head):
    """One linear layer from features to embedding."""

    name = "linear"
    width: int = Field(
        512, ge=2, le=8192, description="numbers in an embedding; 512, 1024 and 2048 are usual"
    )
    bias: bool = Field(True, description="add a learned constant")

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, self.width)."""
        from torch import nn

        head = nn.Linear(width, self.width, bias=self.bias)
        head.width = self.width  # type: ignore[assignment]
        return head
