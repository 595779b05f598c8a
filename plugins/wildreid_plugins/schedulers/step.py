"""Rates that drop at set times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from wildreid.kinds import Scheduler

if TYPE_CHECKING:
    import torch

    from wildreid.kinds import Schedule


class Step(Scheduler):
    """Rates are multiplied by a factor at set points of the run."""

    name = "step"
    at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.5, 0.75), min_length=1, description="points of the run, as shares of it"
    )
    factor: float = Field(0.1, gt=0, lt=1, description="what rates are multiplied by at each point")
    warmup: float = Field(
        0.0, ge=0, lt=1, description="share of the run over which rates rise from near zero"
    )

    def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
        """A schedule for ``steps`` optimizer steps; points are counted after the warm-up."""
        from wildreid_plugins.schedulers.multiplied import Multiplied

        def curve(progress: float) -> float:
            return float(self.factor ** sum(progress >= point for point in self.at))

        return Multiplied(optimizer, steps=steps, warmup=self.warmup, curve=curve)
