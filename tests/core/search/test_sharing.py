"""Two workers on one study, one of them killed: the other finishes, and every configuration is there once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from wildreid.search.ledger import entries, folder_of
from wildreid.search.load import Search
from wildreid.search.run import run_search
from wildreid.search.study import open_study, url

Searching = Callable[..., Search]
SPACE = "trials: 4\nspace: {head: {dropout: {uniform: [0, 0.5]}}, loss: {choice: [triplet, circle]}}"
EPOCHS = 15

WORK = """\
import sys, time
from pathlib import Path
from wildreid.search import worker
from wildreid.search.load import load_search
from wildreid.search.run import run_search
space, storage, out, epochs, how = sys.argv[1:]


def pretend(loaded, folder, *, logs):
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, history = folder / "checkpoint.txt", []
    for epoch in range(1, int(epochs) + 1):
        if not checkpoint.exists() or int(checkpoint.read_text()) < epoch:
            while epoch > 3 and not (Path(out) / "go").exists():
                time.sleep(0.1)
            checkpoint.write_text(str(epoch))
            with (folder / "trained.txt").open("a") as trained:
                print(epoch, file=trained)
        history.append({"epoch": epoch, "accuracy@1": epoch / 100})
        for log in logs:
            log.log(epoch, history[-1])
    return history


if how == "pretend":
    worker.train_only, worker._same_data = pretend, lambda study, folder: None
search = load_search(space, settings=[f"training.epochs={epochs}"])
run_search(search, out=out, storage=storage, grace=8)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database on a PostgreSQL server of our own."""
    pytest.importorskip("psycopg2", reason="the driver of PostgreSQL, psycopg2, is not installed")
    asked = (
        subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        if shutil.which("pg_config")
        else None
    )
    folder = asked.stdout.strip() if asked else None
    found = {name: shutil.which(name, path=folder) or shutil.which(name) for name in ("initdb", "pg_ctl")}
    if not all(found.values()):
        pytest.skip("no PostgreSQL server is installed: initdb and pg_ctl are not found")
    # the server refuses to run as root
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    place = Path("/tmp") / f"wildreid-postgres-{os.getpid()}"
    place.mkdir()
    if who:
        shutil.chown(place, "postgres", "postgres")

    def run(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=place, timeout=120, **who)  # type: ignore[call-overload]
        if done.returncode:
            pytest.skip(f"PostgreSQL cannot be started: {done.stderr.strip()}")

    try:
        run(str(found["initdb"]), "-D", str(place / "data"), "-U", "searcher", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={place} -c fsync=off"
        run(
            str(found["pg_ctl"]),
            "-D",
            str(place / "data"),
            "-o",
            options,
            "-l",
            str(place / "log"),
            "-w",
            "start",
        )
        yield f"postgresql+psycopg2://searcher@/postgres?host={place}"
        run(str(found["pg_ctl"]), "-D", str(place / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def worker(micro: Path, storage: str, how: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own; what it says goes to a file."""
    told = (str(micro / "search.yaml"), storage, str(micro / "runs"), str(EPOCHS), how)
    command = [sys.executable, "-c", WORK, *told]
    with (micro / "said.txt").open("ab") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(true: Callable[[], bool], said: Path) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.05)


def running(study: optuna.Study) -> int:
    return sum(bool(trial.intermediate_values) for trial in study.get_trials(states=(TrialState.RUNNING,)))


@pytest.mark.parametrize("where", ["file", "server"])
@pytest.mark.parametrize("how", ["pretend", pytest.param("real", marks=pytest.mark.stress)])
def test_one_of_two_workers_is_killed(
    where: str, how: str, searching: Searching, micro: Path, request: pytest.FixtureRequest
) -> None:
    """Training is real or pretended; workers, kill, database and leaderboard are always real."""
    storage = str(micro / "study.db") if where == "file" else request.getfixturevalue("server")
    search = searching(SPACE, settings=[f"training.epochs={EPOCHS}"])
    study = open_study(search, storage)
    with worker(micro, storage, how) as one, worker(micro, storage, how) as two:
        until(lambda: running(study) == 2, micro / "said.txt")
        one.send_signal(signal.SIGKILL)
        (micro / "runs/go").touch()
        two.wait(timeout=300)
    said = (micro / "said.txt").read_text()
    assert two.returncode == 0, said
    listed = entries(study)
    assert [entry.state for entry in listed] == ["done"] * 4, said
    assert len({search.key(entry.values) for entry in listed}) == 4
    assert all(entry.epochs == EPOCHS for entry in listed)
    (again,) = [trial for trial in study.trials if "attempts" in trial.user_attrs]
    if how == "pretend":
        trained = (micro / "runs/micro-search" / folder_of(again.number) / "trained.txt").read_text().split()
        assert trained == [str(epoch + 1) for epoch in range(EPOCHS)], "taken over from its checkpoint"
    rows = (micro / "runs/micro-search/leaderboard.csv").read_text().splitlines()
    assert len(rows) == 1 + 4
    # and it is the same study whoever asks
    assert run_search(search, out=micro / "runs", storage=storage, join=True) == listed


def test_a_server_that_is_gone(searching: Searching, micro: Path, server: str) -> None:
    from wildreid.errors import UserError

    with pytest.raises(UserError, match="cannot be reached"):
        open_study(searching(SPACE), server.replace("wildreid-postgres", "nowhere"))


def test_a_path_is_a_file_s_url(tmp_path: Path) -> None:
    assert url(str(tmp_path / "study.db")) == f"sqlite:///{tmp_path / 'study.db'}"
    assert url("postgresql://host/db") == "postgresql://host/db"
