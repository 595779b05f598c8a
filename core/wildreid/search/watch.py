"""A trial seen while it trains: its figures are recorded, and a poor one is stopped early."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from optuna import Trial
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner

from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.results import read_history
from wildreid.search.load import Search


class Pruned(BaseException):
    """A trial stopped early; no Exception, so that it passes what guards the loop against trackers."""


class Watcher:
    """Tells the study how a trial goes, and the loop when to stop it."""

    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial, self.folder = trial, folder
        self.best: float | None = None

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Report the best value so far; raises `Pruned` where the trial is not to go on."""
        if self.best is None:  # a trial that goes on after a kill has epochs behind it
            before = read_history(RunFolder(self.folder).history)
            self.best = max((line["watched"] for line in before), default=values["watched"])
        self.best = max(self.best, values["watched"])
        self.trial.report(self.best, step)
        if self.trial.should_prune():
            raise Pruned


def pruner(search: Search) -> BasePruner:
    """Successive halving, where the search asks for it."""
    halving = search.plan.halving
    if halving is None:
        return NopPruner()
    return SuccessiveHalvingPruner(min_resource=halving.first, reduction_factor=halving.factor)
