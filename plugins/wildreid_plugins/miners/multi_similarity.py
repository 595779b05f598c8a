"""Pairs that are harder than the hardest of the other sort, give or take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class MultiSimilarityMining(Miner):
    """Negatives above the least similar positive less ε, positives below the most similar negative plus ε.

    Source: Wang et al. 2019, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning".
    """

    name = "multi-similarity"
    epsilon: float = Field(0.1, ge=0, le=2, description="ε, in cosine similarity: larger keeps more pairs")

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """(N, width) embeddings and (N,) labels to (a1, p, a2, n) positions in the batch."""
        from pytorch_metric_learning import miners

        miner: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = miners.MultiSimilarityMiner(
            epsilon=self.epsilon
        )
        return miner
