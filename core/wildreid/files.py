"""Files that are there whole or not at all, whenever the process is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in that one's place in one move."""
    aside = path.with_name(path.name + ".part")
    write(aside)
    aside.replace(path)
