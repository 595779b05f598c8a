"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from wildreid.errors import UserError


def replaced(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in that one's place in one move.

    A process killed at any moment leaves the old file or the new one, never a part of one.

    Raises:
        UserError: it cannot be written, for want of space for one; the old file is as it was.
    """
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(aside)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.chmod(0o644)  # safetensors writes for its owner alone
        aside.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # torch and safetensors wrap the system's error
        why = os.strerror(errno.ENOSPC) if _full(path.parent) else str(error).strip().splitlines()[0]
        with contextlib.suppress(OSError):
            aside.unlink()
        raise UserError(
            f"cannot be written: {why}",
            where=str(path),
            cure="make space on the disk, or write elsewhere; what stood there before is as it was",
        ) from error


def _full(folder: Path) -> bool:
    """Whether not even a small file has room; torch does not say why a write failed."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < 2**14
    return False
