from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

from wildreid.errors import Interrupted, UserError
from wildreid.search import worker
from wildreid.search.ledger import Entry, best, counted, entries
from wildreid.search.load import Search
from wildreid.search.run import run_search
from wildreid.search.study import again
from wildreid.search.worker import Worker

Searching = Callable[..., Search]
WIDTHS = "trials: 3\nspace: {head: {width: {choice: [4, 8, 16]}}}"


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Trials that give a figure without training; the list names the folders they were given."""
    begun: list[str] = []

    def train_only(loaded, folder, *, logs):  # type: ignore[no-untyped-def]
        begun.append(folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        value = float(np.random.default_rng(len(begun)).random())
        reached = [value * (n + 1) / 3 for n in range(3)]
        history = tuple({"epoch": n, "accuracy@1": one, "watched": one} for n, one in enumerate(reached, 1))
        for line in history:
            for log in logs:
                log.log(line["epoch"], line)
        return history

    monkeypatch.setattr(worker, "train_only", train_only)
    monkeypatch.setattr(worker, "_same_data", lambda study, folder: None)
    return begun


def in_memory() -> optuna.Study:
    """A study that is gone afterwards, for what does not hang on the storage."""
    return optuna.create_study(direction="maximize")


def work(search: Search, study: optuna.Study, folder: Path, trials: int) -> list[Entry]:
    Worker(search, study, folder, trials=trials).work()
    return entries(study)


def test_a_space_of_six_asked_for_ten_stops_at_six(
    searching: Searching, micro: Path, untrained: list[str]
) -> None:
    search, study = searching(), in_memory()
    assert Worker(search, study, micro, trials=10).work() == "all 6 configurations of the space were tried"
    assert len(untrained) == 6
    assert len({search.key(entry.values) for entry in entries(study)}) == 6
    work(search, study, micro, 10)
    assert len(untrained) == 6, "asked again, nothing is left"


def test_a_trial_trains_and_is_recorded_and_the_same_command_goes_on(
    searching: Searching, micro: Path
) -> None:
    search = searching()
    first = run_search(search, out=micro / "runs", trials=2)
    assert [entry.state for entry in first] == ["done", "done"]
    second = run_search(search, out=micro / "runs", trials=3)
    assert second[:2] == first
    entry = second[2]
    run = micro / "runs" / search.name / entry.folder
    history = pd.read_json(run / "history.jsonl", lines=True)
    assert entry.value == history["accuracy@1"].max()
    assert entry.epoch == history["epoch"][history["accuracy@1"].idxmax()]
    assert entry.epochs == len(history) == 2
    assert (run / "recipe.yaml").is_file()
    for heavy in ("model.safetensors", "checkpoints", "embeddings.npy", "ranking.npz", "scores.json"):
        assert not (run / heavy).exists()
    with (run.parents[1] / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == [
        entry.number for entry in sorted(second, key=lambda entry: (-(entry.value or 0), entry.number))
    ]
    assert {row["loss"] for row in rows} <= {"triplet", "circle", "arcface"}


def test_the_same_seed_draws_the_same_trials_whatever_the_worker(
    searching: Searching, micro: Path, untrained: list[str]
) -> None:
    space = "space: {head: {dropout: {uniform: [0, 0.5]}}, loss: {choice: [triplet, circle]}}"
    at_once, study = work(searching(space), in_memory(), micro, 6), in_memory()
    for trials in (2, 5, 6):
        in_parts = work(searching(space), study, micro, trials)
    assert [entry.values for entry in at_once] == [entry.values for entry in in_parts]
    other = work(searching(f"seed: 1\n{space}"), in_memory(), micro, 6)
    assert all(one.values != two.values for one, two in zip(at_once, other, strict=True))


@pytest.mark.parametrize("how", ["sampler: tpe", "halving: {first: 1, factor: 2}"])
def test_tpe_and_halving(searching: Searching, micro: Path, untrained: list[str], how: str) -> None:
    space = f"{how}\nspace: {{head: {{dropout: {{uniform: [0, 0.5]}}}}, loss: {{choice: [triplet, circle]}}}}"
    listed = work(searching(space), in_memory(), micro, 14)
    assert len({tuple(entry.values.items()) for entry in listed}) == 14
    if "halving" in how:
        early = [entry for entry in listed if entry.state == "stopped early"]
        assert early
        assert all(entry.epochs < 3 for entry in early)
    else:
        assert {entry.state for entry in listed} == {"done"}


def test_a_poor_trial_is_stopped_in_the_real_loop(searching: Searching, micro: Path) -> None:
    space = "halving: {first: 1, factor: 2}\nspace: {head: {width: {choice: [4, 8, 16, 32, 64, 128]}}}"
    search = searching(space, settings=["training.epochs=4"])
    listed = work(search, in_memory(), micro, 6)
    early = [entry for entry in listed if entry.state == "stopped early"]
    assert early
    for entry in early:
        assert 1 <= entry.epochs < 4
        assert entry.value is not None
    assert best(listed) in [entry for entry in listed if entry.epochs == 4]


def test_a_failed_trial_is_recorded_with_its_reason_and_not_tried_again(
    searching: Searching, micro: Path
) -> None:
    # with the second rate the weights, and so the loss, are soon no numbers any more
    space = "space: {optimizer: {head_rate: {choice: [0.003, 1.0e+38]}}, head: {depth: {choice: [0, 1]}}}"
    search, study = searching(space), in_memory()
    listed = work(search, study, micro, 10)
    failed = [entry for entry in listed if entry.state == "failed"]
    assert [len(listed), len(failed)] == [4, 2]
    for entry in failed:
        assert entry.values["optimizer.head_rate"] == 1e38
        assert "the loss is nan" in entry.reason
        assert "UserError" in (micro / entry.folder / "error.txt").read_text()
    assert work(search, study, micro, 10) == listed


def test_three_failures_in_a_row_stop_the_worker(
    searching: Searching, micro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(loaded, folder, *, logs):  # type: ignore[no-untyped-def]
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(worker, "train_only", fail)
    study = in_memory()
    with pytest.raises(UserError, match=r"3 trials in a row failed.*RuntimeError: the disk is full"):
        work(searching(), study, micro, 6)
    assert [entry.reason for entry in entries(study)] == ["RuntimeError: the disk is full"] * 3


def test_what_is_stopped_by_hand_is_put_back_in_line(
    searching: Searching, micro: Path, untrained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = worker.train_only

    def stop(loaded, folder, *, logs):  # type: ignore[no-untyped-def]
        folder.mkdir(parents=True)
        (folder / "kept.txt").write_text("a checkpoint")
        raise Interrupted("stopped in epoch 1", cure="go on with: reid run --resume")

    search, study = searching(WIDTHS), in_memory()
    monkeypatch.setattr(worker, "train_only", stop)
    with pytest.raises(Interrupted, match="put back in line") as caught:
        work(search, study, micro, 3)
    assert "go on with the same command" in str(caught.value)
    monkeypatch.setattr(worker, "train_only", goes_on)
    assert [entry.state for entry in work(search, study, micro, 3)] == ["done"] * 3
    assert untrained[0] == "0001", "the stopped trial first, under a number of its own"
    assert (micro / "trials/0001/kept.txt").is_file(), "from where it had come"


def test_the_result_of_a_trial_that_was_taken_for_dead_is_not_counted(
    searching: Searching,
    micro: Path,
    untrained: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A worker was asleep; meanwhile another found it silent and put its trial back in line."""
    goes_on, study = worker.train_only, in_memory()

    def sleep(loaded, folder, *, logs):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(worker, "train_only", goes_on)
        study.tell(0, state=TrialState.FAIL)
        again(study, study.trials[0])
        return ({"epoch": 1, "accuracy@1": 1.0, "watched": 1.0},)

    monkeypatch.setattr(worker, "train_only", sleep)
    listed = work(searching(WIDTHS), study, micro, 3)
    assert "trial 0 was taken for dead" in capsys.readouterr().err
    assert [entry.state for entry in listed] == ["done"] * 3
    assert all(entry.value != 1.0 for entry in listed)


def test_a_configuration_that_kills_its_workers_is_given_up(searching: Searching, micro: Path) -> None:
    study = in_memory()
    one = Worker(searching(WIDTHS), study, micro, trials=3)
    for attempt in range(3):
        trial = study.ask()
        assert ("key" in trial.user_attrs) == (attempt > 0), "after the first it is the same one again"
        if not attempt:
            one._draw(trial)
        study.tell(trial, state=TrialState.FAIL)
        again(study, study.trials[trial.number])
    (given_up,) = entries(study)
    assert (given_up.state, given_up.reason) == ("failed", "its worker was killed, 3 times")


def test_two_workers_that_draw_the_same_at_one_time(
    searching: Searching, micro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later number looked before the earlier one's draw was there, and looks again after its own."""
    search, study = searching("space: {head: {width: {choice: [4]}}}"), in_memory()
    one = Worker(search, study, micro, trials=9)
    first, second = study.ask(), study.ask()
    one._draw(first)
    looks = iter([[], counted(study)])
    monkeypatch.setattr(worker, "counted", lambda study: next(looks))
    with pytest.raises(worker._Void):
        one._draw(second)
    assert [trial.number for trial in counted(study)] == [first.number]


def test_a_later_trial_waits_until_an_earlier_one_is_drawn(
    searching: Searching, micro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, study = searching("space: {head: {width: {choice: [4, 8]}}}"), in_memory()
    one, other = (Worker(search, study, micro, trials=9) for _ in range(2))
    first, second = study.ask(), study.ask()

    def meanwhile(seconds: float) -> None:
        if "key" not in study.trials[first.number].user_attrs:
            study.sampler = other._prescribed
            other._draw(first)

    study.sampler = one._prescribed
    monkeypatch.setattr(worker.time, "sleep", meanwhile)
    one._before(second.number)
    assert "key" in study.trials[first.number].user_attrs


def test_no_worker_begins_more_than_was_asked(searching: Searching, micro: Path) -> None:
    study = in_memory()
    one = Worker(searching(WIDTHS), study, micro, trials=1)
    first, second = study.ask(), study.ask()
    one._draw(first)
    with pytest.raises(worker._Void):
        one._draw(second)
    assert [trial.number for trial in counted(study)] == [first.number]


def test_other_photos_are_another_study(searching: Searching, micro: Path, photos: Path) -> None:
    search = searching(WIDTHS)
    run_search(search, out=micro / "runs", trials=1)
    other = micro / "photos"
    shutil.copytree(photos, other)
    table = pd.read_csv(other / "table.csv", dtype=str)
    table["identity"] = table["identity"].replace("who1", "whoever")
    table.to_csv(other / "table.csv", index=False)
    elsewhere = searching(WIDTHS, settings=[f"dataset.root={other}"])
    with pytest.raises(UserError, match="data set differs"):
        run_search(elsewhere, out=micro / "runs", trials=2)
    listed = run_search(search, out=micro / "runs", trials=3)
    assert [entry.state for entry in listed] == ["done"] * 3, "what that worker drew was done by another"
