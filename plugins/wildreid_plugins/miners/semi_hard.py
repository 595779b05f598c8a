"""Negatives that are just behind the positive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class SemiHard(Miner):
    """For each image one of its own animal, and the most similar other animal's that is less similar than it.

    Gentler than `hard`: the negative is hard, but the order is right already. ``positives`` chooses the image
    of its own animal: ``easy`` the most similar, ``hard`` the least similar.

    Source: Schroff et al. 2015, "FaceNet"; with easy positives Xuan et al. 2020, "Improved Embeddings with
    Easy Positive Triplet Mining".
    """

    name = "semi-hard"
    positives: Literal["hard", "easy"] = Field("hard", description="which image of its own animal")

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """(N, width) embeddings and (N,) labels to (a1, p, a2, n) positions in the batch."""
        from pytorch_metric_learning import distances, miners

        miner: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = miners.BatchEasyHardMiner(
            pos_strategy=self.positives, neg_strategy="semihard", distance=distances.CosineSimilarity()
        )
        return miner
