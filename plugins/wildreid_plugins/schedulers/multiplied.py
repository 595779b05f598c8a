"""Rates that follow a curve over the run: what the constant, cosine and step schedulers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Multiplied:
    """Each group's first rate times a curve of the run's progress, after a linear warm-up.

    Args:
        optimizer: whose rates are set; its rates now are the first ones.
        steps: optimizer steps of the whole run.
        warmup: share of them over which the rates rise from near zero.
        curve: from progress after the warm-up, 0 to 1, to the factor.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        *,
        steps: int,
        warmup: float,
        curve: Callable[[float], float],
    ) -> None:
        from torch.optim.lr_scheduler import LambdaLR

        rising = round(warmup * steps)

        def factor(step: int) -> float:
            if step < rising:
                return (step + 1) / (rising + 1)
            return curve(min(1.0, (step - rising) / max(1, steps - rising)))

        self.rates = LambdaLR(optimizer, factor)

    def step(self, value: float | None) -> None:
        """Move on after an optimizer step; a validation changes nothing."""
        if value is None:
            self.rates.step()

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        return self.rates.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.rates.load_state_dict(state)
