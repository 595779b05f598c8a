"""Rates that fall along half a cosine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Scheduler

if TYPE_CHECKING:
    import torch

    from wildreid.kinds import Schedule


class Cosine(Scheduler):
    """Rates fall along half a cosine to a floor at the last epoch, after an optional warm-up.

    At progress t of the run: floor + (1 - floor) (1 + cos πt) / 2, times the first rate. A run that patience
    stops early never sees the end of it.

    Source: Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", no restarts.
    """

    name = "cosine"
    warmup: float = Field(
        0.05, ge=0, lt=1, description="share of the run over which rates rise from near zero"
    )
    floor: float = Field(0.0, ge=0, lt=1, description="share of the first rate that is left at the end")

    def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
        """A schedule for ``steps`` optimizer steps."""
        from wildreid_plugins.schedulers.multiplied import Multiplied

        def curve(progress: float) -> float:
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2

        return Multiplied(optimizer, steps=steps, warmup=self.warmup, curve=curve)
