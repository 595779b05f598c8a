"""Files that are there whole or not at all, also after the power fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ASIDE = ".part"


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its name once it is whole and on the disk."""
    aside = path.with_name(path.name + ASIDE)
    with aside.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def append(path: Path, at: int, data: bytes) -> None:
    """Write at byte `at`, cutting off what an interrupted writer left behind it."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(at)
        file.seek(at)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if at == 0:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder lasting, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
