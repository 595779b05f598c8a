"""Negatives drawn evenly over distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class DistanceWeighted(Miner):
    """For each image and positive a negative drawn so that all distances come up alike.

    On a sphere of many dimensions nearly all pairs are √2 apart; drawing against that density shows near and
    far negatives equally often. Drawn from torch's global generator.

    Source: Wu et al. 2017, "Sampling Matters in Deep Embedding Learning".
    """

    name = "distance-weighted"
    cutoff: float = Field(0.5, gt=0, lt=2, description="nearer negatives are drawn as if at this distance")
    farthest: float = Field(
        1.4,
        gt=0,
        le=2,
        description="negatives farther than this straight distance of unit vectors are left out",
    )

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """(N, width) embeddings and (N,) labels to (a, p, n) positions in the batch."""
        from pytorch_metric_learning import miners

        miner: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = miners.DistanceWeightedMiner(
            cutoff=self.cutoff, nonzero_loss_cutoff=self.farthest
        )
        return miner
