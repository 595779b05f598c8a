"""Pairs with images of earlier batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, SerializeAsAny

from wildreid.errors import UserError
from wildreid.kinds import Loss
from wildreid_plugins.losses.contrastive import Contrastive

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Objective


class CrossBatchMemory(Loss):
    """A loss over pairs that also sees the embeddings of earlier batches.

    The last ``size`` embeddings are kept, without gradient; each image of a batch is paired with all of them. What
    a network says changes slowly, so that old embeddings are nearly those of now, and a small batch finds hard
    negatives among many. Pairs that a miner names within the batch are added to these. The memory is part of the
    checkpoint: a resumed run goes on with it.

    Source: Wang et al. 2020, "Cross-Batch Memory for Embedding Learning".
    """

    name = "cross-batch-memory"
    loss: SerializeAsAny[Loss] = Field(
        Contrastive(), description="a loss over pairs: contrastive, triplet, circle, multi-similarity, supcon"
    )
    size: int = Field(1024, ge=2, le=10**6, description="embeddings kept; no fewer than a batch has")

    def build(self, *, width: int, classes: int, table: Table | None = None) -> Objective:
        """Owns the memory, and what its loss owns.

        Raises:
            UserError: the loss is not one over pairs.
        """
        from pytorch_metric_learning import losses

        from wildreid_plugins.losses.wrapped import Remembering

        inner = self.loss.objective(width=width, classes=classes, table=table)
        if type(inner).__name__ not in losses.CrossBatchMemory.supported_losses():
            raise UserError(
                f"the loss '{self.loss.name}' cannot look at images of earlier batches",
                where="loss.loss",
                cure="take a loss over pairs: contrastive, triplet, circle, multi-similarity or supcon",
            )
        return Remembering(inner, width, self.size)
