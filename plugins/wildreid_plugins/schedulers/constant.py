"""Rates that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Scheduler

if TYPE_CHECKING:
    import torch

    from wildreid.kinds import Schedule


class Constant(Scheduler):
    """The same rates throughout, after an optional warm-up."""

    name = "constant"
    warmup: float = Field(
        0.0, ge=0, lt=1, description="share of the run over which rates rise from near zero"
    )

    def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
        """A schedule for ``steps`` optimizer steps."""
        from wildreid_plugins.schedulers.multiplied import Multiplied

        return Multiplied(optimizer, steps=steps, warmup=self.warmup, curve=lambda progress: 1.0)
