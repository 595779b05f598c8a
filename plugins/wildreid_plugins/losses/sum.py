"""Several losses at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, SerializeAsAny, model_validator

from wildreid.kinds import Loss

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Objective


class Sum(Loss):
    """The sum of several losses, each with a weight: such as `arcface` and `triplet`.

    A miner serves them all: one over pairs learns from the pairs that it names, one that classifies weights
    images by it. Write ``losses: [arcface, {name: triplet, margin: 0.1}]``.
    """

    name = "sum"
    losses: tuple[SerializeAsAny[Loss], ...] = Field(..., min_length=2, description="the losses")
    weights: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="of each loss, in their order; null: 1 of each"
    )

    @model_validator(mode="after")
    def _a_weight_each(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.losses):
            raise ValueError(f"there are {len(self.weights)} weights for {len(self.losses)} losses")
        return self

    def build(self, *, width: int, classes: int, table: Table | None = None) -> Objective:
        """Owns what its losses own."""
        from wildreid_plugins.losses.wrapped import Weighted

        built = [loss.objective(width=width, classes=classes, table=table) for loss in self.losses]
        return Weighted(built, self.weights or (1.0,) * len(built))
