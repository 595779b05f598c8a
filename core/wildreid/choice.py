"""Which epoch's weights were chosen, and how sure that choice was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev
from typing import Any

LAST = 10
"""Epochs at the end of a run over which the spread of the watched figure is told."""


@dataclass(frozen=True)
class Choice:
    """The epoch whose weights were taken.

    Attributes:
        epoch: its number, from 1.
        epochs: how many there were.
        watch: the figure of validation that chose.
        smooth: over how many epochs its mean was taken; 1: not at all.
        value: what it was in the chosen epoch.
        last: over how many epochs the following are.
        low: the least of the figure in the last epochs, not smoothed.
        high: the largest.
        spread: its standard deviation.
    """

    epoch: int
    epochs: int
    watch: str
    smooth: int
    value: float
    last: int
    low: float
    high: float
    spread: float

    def __str__(self) -> str:
        mean = f", mean of {self.smooth} epochs," if self.smooth > 1 else ""
        ended = "In the last epoch" if self.last == 1 else f"In the last {self.last} epochs"
        return (
            f"The weights are those of epoch {self.epoch} of {self.epochs}, chosen by validation "
            f"{self.watch}{mean} of {self.value:.3f}. {ended} it was {self.low:.3f} to {self.high:.3f} "
            f"(standard deviation {self.spread:.3f}): differences of that size between epochs are chance."
        )


def choice_of(history: Sequence[Mapping[str, Any]], recipe: Mapping[str, Any]) -> Choice | None:
    """From a run's history and resolved recipe; None where nothing was chosen."""
    settings = recipe.get("training", {})
    watch, smooth = settings.get("watch", "accuracy@1"), int(settings.get("smooth", 1))
    seen = [line for line in history if line.get(watch) is not None]
    if not seen:
        return None
    judged = [float(line.get("watched", line[watch])) for line in seen]
    best = judged.index(max(judged))
    last = [float(line[watch]) for line in seen[-LAST:]]
    return Choice(
        epoch=int(seen[best].get("epoch", best + 1)),
        epochs=len(seen),
        watch=watch,
        smooth=smooth,
        value=judged[best],
        last=len(last),
        low=min(last),
        high=max(last),
        spread=pstdev(last),
    )
