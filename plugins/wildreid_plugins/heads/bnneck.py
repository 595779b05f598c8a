"""The batch-normalised neck of person re-identification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Head

if TYPE_CHECKING:
    from torch import nn


class BnNeck(Head):
    """Batch normalisation without a shift, after an optional projection.

    Source: Luo et al. 2019, "Bag of Tricks and a Strong Baseline for Deep Person Re-identification". There
    one loss looks at what stands before the neck and one at what comes after it; here the one loss looks at
    what comes after it, as retrieval does.

    The surest start for a network with random weights: what all embeddings have in common is taken out before
    the loss sees them, so they cannot fall on one point. On features of a pretrained network, which are apart
    already, it has not been seen to help.
    """

    name = "bnneck"
    width: int | None = Field(
        None, ge=2, le=8192, description="project to so many numbers first; null: as wide as the features"
    )

    def build(self, *, width: int) -> nn.Module:
        """(N, width) to (N, self.width, or width). Needs batches of at least two images."""
        from torch import nn

        out = self.width or width
        neck = nn.BatchNorm1d(out)
        neck.bias.requires_grad_(False)  # it would move all embeddings alike, which cosine should not see
        head = nn.Sequential(*([nn.Linear(width, out, bias=False)] if self.width else []), neck)
        head.width = out  # type: ignore[assignment]
        return head
