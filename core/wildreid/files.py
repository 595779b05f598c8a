"""Files that are there whole or not at all, what is said of those that are damaged or refused, hashes, JSON."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from wildreid.errors import UserError, first_line

if TYPE_CHECKING:
    import pandas as pd

ASIDE = ".part"
"""The ending of a file that is being written and has not taken its name yet."""
ANEW = "take it from a backup, or make it again"


@contextmanager
def reading(path: Path, *, cure: str = ANEW, missing: bool = True) -> Iterator[None]:
    """Within it, whatever a damaged or missing file makes a reader raise is said of that file.

    Args:
        path: the file that is read.
        cure: what to do about it.
        missing: say also of a missing file that it is damage; else FileNotFoundError is left to the caller.

    Raises:
        UserError: in place of any other exception.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        if not missing:
            raise
        raise UserError("the file is missing", where=str(path), cure=cure) from error
    except Exception as error:
        what = "cannot be read" if isinstance(error, OSError) and error.errno else "is damaged"
        raise UserError(f"the file {what}: {first_line(error)}", where=str(path), cure=cure) from error


def refused(error: OSError) -> UserError:
    """What the system would not do, such as write to a full disk, said with what to do about it."""
    cure = {
        errno.ENOSPC: "make space on the disk; what was whole before still is",
        errno.EDQUOT: "make space in your quota; what was whole before still is",
        errno.EFBIG: "files may not grow so large here: raise the limit (ulimit -f), or write elsewhere",
        errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
        errno.ENAMETOOLONG: "choose a shorter name",
        **dict.fromkeys((errno.EACCES, errno.EPERM), "ask for the right to it, or choose another place"),
        errno.EROFS: "it can only be read here: choose another place",
    }
    places = [
        os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    ]
    return UserError(
        error.strerror or first_line(error), where=" → ".join(places), cure=cure.get(error.errno or 0, "")
    )


def put(path: Path, write: Callable[[Path], object], *, lasting: bool = False) -> None:
    """Let `write` fill a file beside `path`, then put it in that one's place in one move.

    A process killed at any moment leaves the old file or the new one, never a part of one.

    Args:
        path: its folder is made where it is not there.
        write: is given the path of the file to fill.
        lasting: wait until the bytes and the name are on the disk, so that they outlast a power failure.

    Raises:
        UserError: it cannot be written, for example because the disk is full; the old file is as it was.
    """
    with _aside(path, lasting=lasting) as aside:
        write(aside)


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its name once it is whole and lasting; as `put` with ``lasting``."""
    with _aside(path, lasting=True) as aside, aside.open("wb") as file:
        yield file


@contextmanager
def _aside(path: Path, *, lasting: bool) -> Iterator[Path]:
    aside = path.with_name(path.name + ASIDE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        if lasting:
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            aside.chmod(0o644)  # safetensors writes for its owner alone
        aside.replace(path)
        if lasting:
            sync_folder(path.parent)
    except Exception as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        # torch and safetensors wrap the system's error, and numpy leaves its number out
        full = _full(path.parent)
        if not full and not isinstance(error, (OSError, RuntimeError)):
            raise
        why = os.strerror(errno.ENOSPC) if full else first_line(error)
        raise UserError(
            f"cannot be written: {why}",
            where=str(path),
            cure="make space on the disk, or write elsewhere; what was there before is as it was",
        ) from error


def sweep(folder: Path, *, before: float) -> None:
    """Remove what a process left half written that was killed before this moment (as `time.time`)."""
    for path in folder.rglob(f"*{ASIDE}"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _full(folder: Path) -> bool:
    """Whether not even a small file has room."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < 2**14
    return False


def cell(value: Any) -> Any:
    """A cell of a CSV that a spreadsheet takes for no formula: a text that would be one gets a ``'`` before it.

    Tables are read without it again.
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def cells(rows: pd.DataFrame) -> pd.DataFrame:
    """A frame whose texts are such cells."""
    texts = rows.select_dtypes(["object", "string"])
    return rows.assign(**{str(name): texts[name].map(cell) for name in texts})


def append(path: Path, at: int, data: bytes) -> None:
    """Write at byte `at`, cutting off what an interrupted writer left behind it; lasting."""
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


def hash_of_file(path: Path, algorithm: str | Callable[[], Any] = "sha256") -> str:
    """The hash of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """A JSON mapping.

    Raises:
        UserError: the file is not there, or is none.
    """
    with reading(path):
        value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise UserError("not a mapping", where=str(path), cure=ANEW)
    return value


def write_json(path: Path, value: Any, *, lasting: bool = False) -> None:
    """Write JSON, whole or not at all; NaN is refused, since null with a reason is how we say it."""
    put_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n", lasting=lasting)


def put_text(path: Path, text: str, *, lasting: bool = False) -> None:
    """Write a text in UTF-8, whole or not at all."""
    put(path, lambda aside: aside.write_text(text, encoding="utf-8"), lasting=lasting)
