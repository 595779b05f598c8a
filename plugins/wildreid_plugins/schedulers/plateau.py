"""Rates that drop when validation stops gaining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.kinds import Scheduler

if TYPE_CHECKING:
    import torch

    from wildreid.kinds import Schedule


class Plateau(Scheduler):
    """Rates are multiplied by a factor when the watched metric has not gained for some epochs."""

    name = "plateau"
    factor: float = Field(0.1, gt=0, lt=1, description="what rates are multiplied by")
    patience: int = Field(5, ge=0, description="epochs without a gain that are borne before a drop")
    min_gain: float = Field(0.0, ge=0, description="what counts as a gain of the watched metric")

    def build(self, *, optimizer: torch.optim.Optimizer, steps: int) -> Schedule:
        """A schedule that moves on validations alone; without them the rates stay."""
        from torch.optim.lr_scheduler import ReduceLROnPlateau

        return Watching(
            ReduceLROnPlateau(
                optimizer,
                mode="max",
                factor=self.factor,
                patience=self.patience,
                threshold=self.min_gain,
                threshold_mode="abs",
            )
        )


class Watching:
    """A torch scheduler that is told only of validations."""

    def __init__(self, rates: torch.optim.lr_scheduler.ReduceLROnPlateau) -> None:
        self.rates = rates

    def step(self, value: float | None) -> None:
        """Look at the watched value; an optimizer step changes nothing."""
        if value is not None:
            self.rates.step(value)

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        return self.rates.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.rates.load_state_dict(state)
