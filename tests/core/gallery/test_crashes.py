"""Writers that are killed, and writers at once: the gallery is the old one or the new one, and whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.core.gallery.made import MARK, MATCHING, annotations, made, unit

from wildreid.gallery import index
from wildreid.gallery.check import verify
from wildreid.gallery.lock import locked
from wildreid.gallery.store import Gallery
from wildreid.identification.search import Search

HERE = Path(__file__).parent
OPERATIONS = ("add", "merge", "undo", "index", "features")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "WILDREID_AUTHOR": "test"}

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are of POSIX")


@pytest.fixture
def killer() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, HERE / "killed.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(killer: subprocess.Popen[str], operation: str, kill_at: int, folder: Path) -> str:
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{operation} {kill_at} {folder}\n")
    killer.stdin.flush()
    return killer.stdout.readline().strip()


def base(folder: Path) -> Gallery:
    """More rows than an index needs, a settled segment and one that still grows, and something to undo."""
    gallery = made(folder, rows=4200, people=30, exact_up_to=1000)
    gallery.describe([], [], matching=MATCHING)
    gallery.add(annotations(30, 3), unit(30, 3), model=MARK)
    index.build_index(gallery.state)
    gallery.merge("bear 2", "bear 3")
    return gallery


def kill_often(killer: subprocess.Popen[str], tmp_path: Path, trials: int) -> None:
    before = base(tmp_path / "base").folder
    old = verify(before)
    assert old.damage == ()
    draw = np.random.default_rng(trials)
    touches, after = {}, {}
    for operation in OPERATIONS:
        folder = tmp_path / f"whole-{operation}"
        shutil.copytree(before, folder)
        touches[operation] = int(ask(killer, operation, 0, folder))
        after[operation] = verify(folder).digest
        assert (after[operation] == old.digest) == (operation == "index")
    for number in range(trials):
        operation = OPERATIONS[number % len(OPERATIONS)]
        kill_at = int(draw.integers(1, touches[operation] + 1))
        folder = tmp_path / "trial"
        shutil.copytree(before, folder)
        assert ask(killer, operation, kill_at, folder) == "killed", (operation, kill_at)
        found = verify(folder)
        assert found.damage == (), (operation, kill_at, found)
        assert found.digest in (old.digest, after[operation]), (operation, kill_at)
        # it goes on as if nothing had been: the lock is free, what was left behind is swept up
        gallery = Gallery(folder)
        gallery.rename("bear 4", "Otis")
        again = verify(folder)
        assert again.damage == ()
        assert not [note for note in again.notes if "interrupted" in note]
        queries = unit(4, 9)
        near, exact = Search(gallery.state).similarity(queries), Search(gallery.state, exact=True)
        assert (near.max(axis=1) <= exact.similarity(queries).max(axis=1) + 1e-5).all()
        shutil.rmtree(folder)


@needs_fork
def test_a_writer_killed_at_ten_random_points_leaves_the_old_state_or_the_new(
    killer: subprocess.Popen[str], tmp_path: Path
) -> None:
    kill_often(killer, tmp_path, 10)


@needs_fork
@pytest.mark.stress
def test_a_writer_killed_at_fifty_random_points_leaves_the_old_state_or_the_new(
    killer: subprocess.Popen[str], tmp_path: Path
) -> None:
    kill_often(killer, tmp_path, 50)


ADDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.core.gallery.made import MARK, annotations, unit
from wildreid.gallery.store import Gallery
gallery = Gallery(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(5):
    seed = 10 * int(sys.argv[2]) + number
    assert gallery.add(annotations(20, seed), unit(20, seed), model=MARK).rows == 20
"""


def adder(folder: Path, number: int) -> subprocess.Popen[str]:
    root = str(HERE.parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", ADDER, str(folder), str(number), root],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    return process


def test_two_processes_that_add_at_once_both_get_their_photos_in(tmp_path: Path) -> None:
    folder = made(tmp_path / "g").folder
    adders = [adder(folder, number) for number in (1, 2)]
    for process in adders:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with locked(folder):
        for process in adders:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        time.sleep(0.5)
        assert len(Gallery(folder).state.changes) == 2
    errors = [process.communicate()[1] for process in adders]
    assert [process.returncode for process in adders] == [0, 0], errors
    assert any("waiting" in error for error in errors)
    state = Gallery(folder).state
    expected = {
        key for seed in (10, 11, 12, 13, 14, 20, 21, 22, 23, 24) for key in annotations(20, seed)["key"]
    }
    assert expected <= set(state.row_of)
    assert state.images == 60 + len(expected)
    assert verify(folder).damage == ()
