"""One writer at a time: the file lock of a gallery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from wildreid.errors import UserError
from wildreid.files import ASIDE, refused
from wildreid.progress import say

WAIT = 600.0
"""Seconds to wait for another process that writes to the gallery."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Write alone to the gallery in this folder, and first clear away what an interrupted writer has left.

    Raises:
        UserError: another process goes on writing; the system refuses to write, as where one may only read.
    """
    try:
        with _acquired(folder):
            for path in folder.glob(f"*{ASIDE}"):
                path.unlink()
            yield
    except OSError as error:
        raise refused(error) from error


@contextmanager
def _acquired(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another process is writing to {folder}; waiting for it …")
        try:
            lock.acquire(timeout=WAIT)
        except Timeout:
            raise UserError(
                f"another process has been writing to {folder} for {WAIT:.0f} s",
                cure="try again when it is done",
            ) from None
    try:
        yield
    finally:
        lock.release()
