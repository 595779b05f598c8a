"""Losses around other losses: weighted sums, and a memory of earlier batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pytorch_metric_learning import losses
from torch import Tensor, nn

from wildreid.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wildreid.kinds import Objective


class Weighted(nn.Module):
    """Σ w_i L_i of the same embeddings, labels and mined pairs."""

    def __init__(self, built: Sequence[Objective], weights: Sequence[float]) -> None:
        super().__init__()
        self.losses = tuple(built)
        self.own = nn.ModuleList(loss for loss in built if isinstance(loss, nn.Module))  # for the checkpoint
        self.weights = tuple(weights)

    def forward(self, embeddings: Tensor, labels: Tensor, mined: tuple[Tensor, ...] | None = None) -> Tensor:
        """(N, width) embeddings of unit length and (N,) labels, to a scalar."""
        parts = [
            weight * loss(embeddings, labels, mined)
            for weight, loss in zip(self.weights, self.losses, strict=True)
        ]
        return sum(parts[1:], parts[0])


class Remembering(losses.CrossBatchMemory):  # type: ignore[misc]
    """pytorch-metric-learning's memory, with where it stands in its state: a resumed run goes on with it."""

    def __init__(self, loss: Any, width: int, size: int) -> None:
        super().__init__(loss, width, memory_size=size)

    def forward(self, embeddings: Tensor, labels: Tensor, mined: tuple[Tensor, ...] | None = None) -> Tensor:
        """(N, width) embeddings of unit length and (N,) labels, to a scalar.

        Raises:
            UserError: a batch has more images than the memory.
        """
        if len(embeddings) > self.memory_size:
            raise UserError(
                f"the memory holds {self.memory_size} embeddings, and a batch has {len(embeddings)} images",
                where="loss.size",
                cure=f"set loss.size={len(embeddings)} or more",
            )
        return cast("Tensor", super().forward(embeddings, labels, mined))

    def get_extra_state(self) -> dict[str, Any]:
        """How full the memory is, and where the next embedding goes."""
        return {"next": self.queue_idx, "full": self.has_been_filled}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.queue_idx, self.has_been_filled = state["next"], state["full"]
