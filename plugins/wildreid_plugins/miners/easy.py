"""The easiest pairs of each anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Easy(Miner):
    """For each image the least similar image of another animal, and the most similar of its own.

    Little to learn from, and little harm from wrong labels; meant for comparison. ``positives`` chooses the
    image of its own animal: ``easy`` the most similar, ``hard`` the least similar, ``all`` each of them.
    """

    name = "easy"
    positives: Literal["hard", "easy", "all"] = Field("easy", description="which image of its own animal")

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """(N, width) embeddings and (N,) labels to (a1, p, a2, n) positions in the batch."""
        from pytorch_metric_learning import distances, miners

        miner: Callable[[Tensor, Tensor], tuple[Tensor, ...]] = miners.BatchEasyHardMiner(
            pos_strategy=self.positives, neg_strategy="easy", distance=distances.CosineSimilarity()
        )
        return miner
