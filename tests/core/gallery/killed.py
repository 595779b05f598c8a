"""A program of its own: does one change to a gallery, and is killed at its n-th touch of the disk.

Each line on standard input is OPERATION N FOLDER, N = 0 meaning not at all; each is answered by the number of
touches, or "killed". One process imports everything and forks for each trial, so that many trials are quick.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

# run as a file: the project's root is not on the path
sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.core.gallery.made import MARK, annotations, points, unit

from wildreid.gallery.index import build_index
from wildreid.gallery.store import Gallery

TOUCHES = {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate"}


def change(folder: Path, operation: str) -> None:
    gallery = Gallery(folder)
    if operation == "add":
        gallery.add(annotations(40, 2), unit(40, 2), model=MARK, points=[points(40, 2)])
    elif operation == "features":
        gallery.describe(annotations(30, 3)["key"], [points(30, 3)])
    elif operation == "merge":
        gallery.merge("bear 0", "bear 1")
    elif operation == "undo":
        gallery.undo()
    else:
        build_index(gallery.state)


def trial(folder: Path, operation: str, kill_at: int) -> int:
    """In a child: how many touches there were, if it lived."""
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in TOUCHES and arguments and str(folder) in str(arguments[0]):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    real = os.fsync

    def fsync(handle: int) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        real(handle)

    os.fsync = fsync
    change(folder, operation)
    return count


def main() -> None:
    for line in sys.stdin:
        operation, kill_at, folder = line.rstrip("\n").split(" ", 2)
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(tell, str(trial(Path(folder), operation, int(kill_at))).encode())
            os._exit(0)
        os.close(tell)
        _, status = os.waitpid(child, 0)
        touches = os.read(told, 100).decode() or "killed"
        os.close(told)
        print(touches if os.WIFEXITED(status) or touches == "killed" else f"status {status}", flush=True)


if __name__ == "__main__":
    main()
