"""The hardest pairs of each anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Hard(Miner):
    """For each image the most similar image of another animal, and the least similar of its own.

    ``positives`` chooses the image of its own animal: ``hard`` the least similar, ``easy`` the most similar,
    ``semi-hard`` the least similar that is still nearer than the negative, ``all`` each of them. With ``all``
    an image that is alone of its animal in the batch is named with its negative too; otherwise it is left out.

    Source: Hermans et al. 2017, "In Defense of the Triplet Loss for Person Re-Identification" (batch hard).
    """

    name = "hard"
    positives: Literal["hard", "semi-hard", "easy", "all"] = Field(
        "hard", description="which image of its own animal"
    )

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """(N, width) embeddings and (N,) labels to (a1, p, a2, n) positions in the batch."""
        from pytorch_metric_learning import distances, miners

        miner: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = miners.BatchEasyHardMiner(
            pos_strategy=self.positives.replace("-", ""),
            neg_strategy="hard",
            distance=distances.CosineSimilarity(),
        )
        return miner
