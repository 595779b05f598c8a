"""What the system refuses is one line with a cure and exit code 2, never a traceback."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wildreid import cli
from wildreid.errors import UserError
from wildreid.files import put, refused
from wildreid.places import cache_folder, caching
from wildreid.testing import TINY_RECIPE, draw_photos

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
sys.argv = ["reid", *sys.argv[1:]]
from wildreid.cli import main
main()
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "a/b: Permission denied\n  → ask"),
        (PermissionError(errno.EACCES, "Permission denied", "a", None, "b"), "a → b: Permission denied"),
        (OSError(errno.EROFS, "Read-only file system", b"x"), "x: Read-only file system\n  → it can only"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device\n  → make space"),
        (OSError(errno.EFBIG, "File too large", "f"), "ulimit -f"),
        (OSError("8192 requested and 4096 written"), "8192 requested and 4096 written"),
        (OSError(), "OSError"),
    ],
)
def test_each_is_said_with_its_place_and_cure(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in str(refused(error))

    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert "error:" in told
    assert "Traceback" not in told


def test_numpy_on_a_full_disk_gives_no_number_and_is_told_all_the_same(tmp_path: Path) -> None:
    def write(aside: Path) -> None:
        aside.write_bytes(b"half")
        raise OSError("8192 requested and 4096 written")

    with pytest.raises(UserError, match="cannot be written: 8192 requested"):
        put(tmp_path / "a.npy", write)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_is_full_or_damaged_names_the_variable(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="cannot be written: database or disk is full") as full,
        caching(tmp_path),
    ):
        raise sqlite3.OperationalError("database or disk is full")
    with pytest.raises(UserError, match="cannot be read") as damaged, caching(tmp_path):
        raise sqlite3.DatabaseError("file is not a database")
    assert "WILDREID_CACHE" in full.value.cure
    assert "remove the folder" in damaged.value.cure


def test_without_a_home_the_variable_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_CACHE", "~nosuchuser/cache")
    with pytest.raises(UserError, match="no place for the cache") as caught:
        cache_folder()
    assert "WILDREID_CACHE" in caught.value.cure


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_limit_on_the_size_of_files_ends_a_run_with_a_cure(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos")
    shutil.copy(TINY_RECIPE, tmp_path / "recipe.yaml")
    settings = ["--set", f"dataset.root={tmp_path / 'photos'}", "--set", "packs=[]"]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED,
            "run",
            str(tmp_path / "recipe.yaml"),
            "--out",
            str(tmp_path / "runs"),
            *settings,
        ],
        capture_output=True,
        text=True,
        # a process that is measured writes a file of its own, which the limit refuses too
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
            "WILDREID_CACHE": str(tmp_path / "cache"),
        },
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr
    assert "→" in done.stderr
