"""What a study holds, as people read it: each configuration once, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from wildreid.search.draw import Scalar

State = Literal["waiting", "running", "done", "stopped early", "failed"]
_STATES: dict[TrialState, State] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Entry:
    """One configuration of a study.

    Attributes:
        number: its trial's number; of several attempts, the last one's.
        state: what became of it.
        value: the best validation figure over its epochs; None where there is none.
        epoch: the epoch that gave it.
        epochs: how many were trained.
        seconds: how long it took, where it is over.
        values: what was drawn.
        folder: its run's folder inside the study's, such as ``trials/0007``.
        reason: why it failed.
    """

    number: int
    state: State
    value: float | None
    epoch: int | None
    epochs: int
    seconds: float | None
    values: dict[str, Scalar]
    folder: str
    reason: str


def entries(study: Study) -> list[Entry]:
    """Every configuration of a study once, by number."""
    return [_entry(trial) for trial in counted(study)]


def counted(study: Study) -> list[FrozenTrial]:
    """The trials that count: neither repeats, nor begun again after a kill, nor not yet drawn."""
    trials = study.get_trials(deepcopy=False)
    superseded = {number for trial in trials for number in trial.user_attrs.get("attempts", ())}
    return [
        trial
        for trial in trials
        if "void" not in trial.user_attrs and trial.number not in superseded and "key" in trial.user_attrs
    ]


def best(listed: list[Entry]) -> Entry | None:
    """The finished trial with the highest value, the earliest of equals; None where none is finished."""
    done = [entry for entry in listed if entry.state == "done" and entry.value is not None]
    return max(done, key=lambda entry: (entry.value, -entry.number), default=None)


def folder_of(number: int) -> str:
    """The folder of a trial's run, inside the study's."""
    return f"trials/{number:04d}"


def _entry(trial: FrozenTrial) -> Entry:
    attrs: dict[str, Any] = trial.user_attrs
    reason = str(attrs.get("reason", ""))
    if trial.state == TrialState.FAIL and not reason:
        times = len(attrs.get("attempts", ())) + 1
        reason = f"its worker was killed, {times} times" if times > 1 else "its worker was killed"
    reached = {step: value for step, value in trial.intermediate_values.items() if value == value}
    return Entry(
        number=trial.number,
        state=_STATES[trial.state],
        value=trial.value if trial.state.is_finished() else max(reached.values(), default=None),
        epoch=attrs.get("epoch"),
        epochs=int(attrs.get("epochs", len(reached))),
        seconds=trial.duration.total_seconds() if trial.duration else None,
        values=dict(trial.params),
        folder=folder_of(trial.number),
        reason=reason,
    )
