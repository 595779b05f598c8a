"""A worker: draws, trains and records one trial after the other, beside any number of other workers."""

from __future__ import annotations

import shutil
import textwrap
import time
import traceback
from pathlib import Path
from typing import Any

import optuna
from optuna import Study, Trial
from optuna.trial import TrialState

from wildreid.errors import Interrupted, UserError
from wildreid.page.words import count
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.provenance import hash_of_rows
from wildreid.pipeline.stages import train_only
from wildreid.progress import note, say
from wildreid.search.drawing import Exhausted, Prescribed, distribution, draw_new, size
from wildreid.search.ledger import Entry, best, counted, entries, folder_of
from wildreid.search.load import Search
from wildreid.search.study import again, fail_silent, reachable
from wildreid.search.watch import Pruned, Watcher, pruner

DRAWING = 10.0
"""Seconds that another worker may take to draw a trial; one that takes longer was killed in the middle."""

ALIKE = 3
"""Trials that fail in a row before a worker stops: it is not the draws then."""


class Worker:
    """One process's part in a study.

    Args:
        search: what is searched.
        study: where it is recorded.
        folder: of the study; each trial's run goes into its ``trials``.
        trials: configurations in all, those of other workers included.
        timeout: seconds after which no further trial is begun; None: no limit.
        grace: seconds after which a silent worker is taken for dead.
        where: the storage, as it may be shown.
    """

    def __init__(
        self,
        search: Search,
        study: Study,
        folder: Path,
        *,
        trials: int,
        timeout: float | None = None,
        grace: int = 60,
        where: str = "",
    ) -> None:
        self.search, self.study, self.folder = search, study, folder
        self.trials, self.timeout, self.grace, self.where = trials, timeout, grace, where
        self._prescribed = Prescribed()
        self._trial: Trial | None = None
        self._silent: set[int] = set()
        self._failed = 0
        self._possible = size(search)
        study.sampler = self._prescribed
        study.pruner = pruner(search)

    def work(self) -> str:
        """Run trials until there is nothing left to do.

        Returns:
            Why it stopped, in a few words.

        Raises:
            Interrupted: Ctrl-C or SIGTERM; the trial it was in is put back in line.
            UserError: the storage is lost, the data are not the study's, trials fail one after the other.
        """
        end = None if self.timeout is None else time.monotonic() + self.timeout
        with reachable(self.where):
            while True:
                if (why := self._enough()) is not None:
                    if not self._left_by_others(end):
                        return why
                elif end is not None and time.monotonic() >= end:
                    return "the time is over"
                self._one()

    def _enough(self) -> str | None:
        """Why no further trial is to be begun; None where one is."""
        known = counted(self.study)
        if any(trial.state == TrialState.WAITING for trial in known):
            return None
        if len(known) >= self.trials:
            return f"there are {count(len(known), 'trial')}, as asked"
        if self._possible is not None and len({trial.user_attrs["key"] for trial in known}) >= self._possible:
            return f"all {self._possible} configurations of the space were tried"
        return None

    def _left_by_others(self, end: float | None) -> bool:
        """Wait out the grace of trials that others run; whether a killed worker left one of them to us."""
        give_up = time.monotonic() + 1.5 * self.grace + 2  # a heartbeat may have come just before
        while True:
            fail_silent(self.study)
            states = [trial.state for trial in counted(self.study)]
            if TrialState.WAITING in states:
                return True
            if TrialState.RUNNING not in states or time.monotonic() > min(give_up, end or give_up):
                return False
            time.sleep(0.5)

    def _one(self) -> None:
        """Run one trial and record what became of it."""
        self._trial = None
        lost = False
        try:
            self.study.optimize(self._objective, n_trials=1, catch=(_Failed, _Void))
        except (Interrupted, KeyboardInterrupt):
            self._back_in_line()
            raise Interrupted(
                "the search is stopped; the trial it was in is put back in line",
                where=str(self.folder),
                cure="go on with the same command",
            ) from None
        except UserError:
            self._back_in_line()
            raise
        except (ValueError, AssertionError) as error:
            # so optuna refuses the result of a trial that was taken for dead and is another worker's now
            if isinstance(error, ValueError) and "Cannot tell" not in str(error):
                raise
            lost = True
        self._report(lost)

    def _objective(self, trial: Trial) -> float:
        self._trial = trial
        if "key" in trial.user_attrs:  # it was drawn before, and its worker was killed
            values = self.search.space.draw(lambda one: trial.params[one.name])
        else:
            values = self._draw(trial)
        folder = self.folder / folder_of(trial.number)
        self._take_over(trial, folder)
        watch = self.search.base.recipe.training.watch
        try:
            recipe = self.search.recipe(values, name=f"{self.search.name}-{trial.number:04d}")
            history = train_only(recipe, folder, logs=[Watcher(trial, folder)])
        except Pruned:
            raise optuna.TrialPruned from None
        except Interrupted:
            raise
        except Exception as error:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            raise self._fail(trial, reason) from None
        _same_data(self.study, folder)
        reached = [(line["watched"], -line["epoch"]) for line in history if line.get("watched") is not None]
        trial.set_user_attr("epochs", len(history))
        if not reached:
            raise self._fail(trial, f"it has no validation figure '{watch}'")
        value, epoch = max(reached)
        trial.set_user_attr("epoch", -epoch)
        return float(value)

    def _draw(self, trial: Trial) -> dict[str, Any]:
        """Draw a configuration that no other trial has, and record it."""
        known = counted(self.study)
        try:
            values = draw_new(
                self.search, self.study, trial.number, {other.user_attrs["key"] for other in known}
            )
        except Exhausted:
            trial.set_user_attr("void", "no configuration is left")
            raise _Void from None
        self._prescribed.values = values
        for one in self.search.space.order:
            if one.name in values:
                _record(trial, one.name, distribution(one))
        key = self.search.key(values)
        trial.set_user_attr("key", key)
        # two workers may draw at one time: the earlier number stays, the later one looks when that is drawn
        before = self._before(trial.number)
        if key in {other.user_attrs["key"] for other in before}:
            trial.set_user_attr("void", "another worker drew the same at the same time")
            raise _Void
        if len(before) >= self.trials:
            trial.set_user_attr("void", "another worker began the last trial at the same time")
            raise _Void
        return values

    def _before(self, number: int) -> list[optuna.trial.FrozenTrial]:
        """The trials with lower numbers, once all of them are drawn."""
        end = time.monotonic() + DRAWING
        while True:
            drawing = {
                other.number
                for other in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
                if other.number < number and not {"key", "void"} & other.user_attrs.keys()
            } - self._silent
            if not drawing:
                return [other for other in counted(self.study) if other.number < number]
            if time.monotonic() > end:
                self._silent |= drawing
            time.sleep(0.05)

    def _take_over(self, trial: Trial, folder: Path) -> None:
        """Go on from the checkpoints of the attempt before, where they are on this machine.

        They are copied: should that worker be alive after all, the two do not write into one folder.
        """
        for number in trial.user_attrs.get("attempts", ())[-1:]:
            before = self.folder / folder_of(number)
            if before.is_dir() and not folder.exists():
                try:
                    shutil.copytree(before, folder)
                except shutil.Error:  # a file went away while it was copied
                    shutil.rmtree(folder)

    def _fail(self, trial: Trial, reason: str) -> _Failed:
        short = textwrap.shorten(reason, 300, placeholder=" …")
        trial.set_user_attr("reason", short)
        return _Failed(short)

    def _back_in_line(self) -> None:
        """After a stop that is not the trial's own fault: somebody is to run it again."""
        if self._trial is not None:
            again(
                self.study, next(one for one in self.study.get_trials() if one.number == self._trial.number)
            )

    def _report(self, lost: bool) -> None:
        """Say what became of the trial, and throw away what is not needed of it."""
        if self._trial is None or "void" in self._trial.user_attrs:
            return
        number = self._trial.number
        if lost:
            note(f"trial {number} was taken for dead and given to another worker; it is not counted")
            return
        listed = entries(self.study)
        entry = next(one for one in listed if one.number == number)
        for attempt in (number, *self._trial.user_attrs.get("attempts", ())):
            run = RunFolder(self.folder / folder_of(attempt))
            shutil.rmtree(run.path / "checkpoints", ignore_errors=True)
            if not self.search.plan.keep_weights or attempt != number:
                run.model.unlink(missing_ok=True)
        say(_line(entry, best(listed), len(listed), self.trials))
        self._failed = self._failed + 1 if entry.state == "failed" else 0
        if self._failed >= ALIKE:
            raise UserError(
                f"{ALIKE} trials in a row failed; the last: {entry.reason}",
                where=str(self.folder),
                cure="correct what they failed of; the same command goes on after them",
            )


class _Failed(Exception):
    """A trial that failed, with its reason."""


class _Void(Exception):
    """A trial that is none."""


def _same_data(study: Study, folder: Path) -> None:
    """All workers must train and validate on the same photos: what the first one read is written down.

    Raises:
        UserError: this one's are others.
    """
    rows = RunFolder(folder).load_split().rows
    split = hash_of_rows(rows[["id", "identity", "encounter", "part"]])
    if study.user_attrs.setdefault("split", split) == split:
        study.set_user_attr("split", split)
        return
    shutil.rmtree(folder)  # whoever runs this trial again has nothing to go on from here
    raise UserError(
        "this worker's data set differs from the one that the study was begun on: trials cannot be compared",
        where="dataset",
        cure="give this worker the same photos and tables, or begin another study, of another `name=…`",
    )


def _record(trial: Trial, name: str, kind: optuna.distributions.BaseDistribution) -> None:
    match kind:
        case optuna.distributions.CategoricalDistribution():
            trial.suggest_categorical(name, kind.choices)
        case optuna.distributions.IntDistribution():
            trial.suggest_int(name, kind.low, kind.high)
        case optuna.distributions.FloatDistribution():
            trial.suggest_float(name, kind.low, kind.high, log=kind.log)


def _line(entry: Entry, winner: Entry | None, known: int, trials: int) -> str:
    figure = "–" if entry.value is None else f"{entry.value:.3f}"
    text = f"trial {entry.number:>3}  {known} of {trials}  {figure}  {entry.state}"
    if entry.reason:
        text += f": {entry.reason}"
    if winner is not None:
        text += f"  (best {winner.value:.3f}, trial {winner.number})"
    return text
