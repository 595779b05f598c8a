"""Two workers on one study, one of them killed: the other finishes, and every configuration is there once."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from wildreid.errors import UserError
from wildreid.search.ledger import entries, folder_of
from wildreid.search.load import Search
from wildreid.search.run import run_search
from wildreid.search.study import open_study, url

Searching = Callable[..., Search]
SPACE = "trials: 4\nspace: {head: {dropout: {uniform: [0, 0.5]}}, loss: {choice: [triplet, circle]}}"
EPOCHS = {"pretend": 15, "real": 60}
"""Long enough for a real trial that the two are seen at work at once, on a busy machine too."""

WORK = """\
import os, sys, time
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
        history.append({"epoch": epoch, "accuracy@1": epoch / 100, "watched": epoch / 100})
        for log in logs:
            log.log(epoch, history[-1])
    return history


if how == "pretend":
    worker.train_only, worker._same_data = pretend, lambda study, folder: None
search = load_search(space, settings=[f"training.epochs={epochs}"])
import wildreid.pipeline.stages  # what is slow to import, before the two set out together
(Path(out) / f"ready-{os.getpid()}").touch()
while len(list(Path(out).glob("ready-*"))) < 2:
    time.sleep(0.05)
run_search(search, out=out, storage=storage, grace=8)
"""


def programs_of_postgres() -> dict[str, Path] | None:
    """``initdb`` and ``pg_ctl``, on the path or where Debian and pg_config say they are; None: not there."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    if shutil.which("pg_config"):
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(asked.stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    names = ("initdb", "pg_ctl")
    for folder in folders:
        if all((folder / name).is_file() for name in names):
            return {name: folder / name for name in names}
    return None


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a database on a PostgreSQL server of our own, on loopback and with a password."""
    pytest.importorskip(
        "psycopg", reason="PostgreSQL's driver is not there: pip install 'wildreid[postgres]'"
    )
    found = programs_of_postgres()
    if found is None:
        pytest.skip("no PostgreSQL server is installed: initdb and pg_ctl are not found")
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        who = {"user": "postgres", "group": "postgres", "extra_groups": []}
    place = Path(tempfile.mkdtemp(prefix="wildreid-postgres-"))  # pytest's own folders are closed to others
    port, data = free_port(), str(place / "data")
    (place / "password").write_text("secret\n")
    if who:
        for path in (place, place / "password"):
            shutil.chown(path, "postgres", "postgres")

    def run(name: str, *words: str) -> None:
        command = [str(found[name]), "-D", data, *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=place, timeout=120, **who)
        if done.returncode:
            pytest.skip(f"PostgreSQL cannot be started: {done.stderr.strip() or (place / 'log').read_text()}")

    try:
        run("initdb", "-U", "searcher", "-A", "scram-sha-256", f"--pwfile={place / 'password'}", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        run("pg_ctl", "-o", options, "-l", str(place / "log"), "-w", "start")
        yield f"postgresql://searcher:secret@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def worker(micro: Path, storage: str, how: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own; what it says goes to a file."""
    told = (str(micro / "search.yaml"), storage, str(micro / "runs"), str(EPOCHS[how]), how)
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
    epochs = EPOCHS[how]
    search = searching(SPACE, settings=[f"training.epochs={epochs}"])
    study = open_study(search, storage)
    (micro / "runs").mkdir()
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
    assert all(entry.epochs == epochs for entry in listed)
    (again,) = [trial for trial in study.trials if "attempts" in trial.user_attrs]
    if how == "pretend":
        trained = (micro / "runs/micro-search" / folder_of(again.number) / "trained.txt").read_text().split()
        assert trained == [str(epoch + 1) for epoch in range(epochs)], "taken over from its checkpoint"
    rows = (micro / "runs/micro-search/leaderboard.csv").read_text().splitlines()
    assert len(rows) == 1 + 4
    # and it is the same study whoever asks
    assert run_search(search, out=micro / "runs", storage=storage, join=True) == listed


def test_a_server_that_is_gone(searching: Searching, micro: Path, server: str) -> None:
    with pytest.raises(UserError, match="cannot be reached") as caught:
        open_study(searching(SPACE), server.replace("secret", "mistyped"))
    assert "mistyped" not in str(caught.value)
    port = server.rpartition(":")[2].partition("/")[0]
    with pytest.raises(UserError, match="cannot be reached"):
        open_study(searching(SPACE), server.replace(port, str(free_port())))


def test_a_path_is_a_file_s_url(tmp_path: Path) -> None:
    assert url(str(tmp_path / "study.db")) == f"sqlite:///{tmp_path / 'study.db'}"
    assert url("postgresql://me:secret@host/db") == "postgresql+psycopg://me:secret@host/db"
    assert url("postgresql+psycopg2://host/db") == "postgresql+psycopg2://host/db"
    assert url("mysql+pymysql://host/db") == "mysql+pymysql://host/db"
