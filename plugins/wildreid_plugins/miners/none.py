"""No mining."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.kinds import Miner

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class NoMining(Miner):
    """All pairs or triplets of the batch; what a classification loss such as ArcFace is written for."""

    name = "none"

    def build(self) -> Callable[[Tensor, Tensor], tuple[Tensor, ...] | None]:
        """Gives None, which losses take for everything."""
        return lambda embeddings, labels: None
