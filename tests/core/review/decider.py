"""A program of its own: decides as fast as it can and tells each decision once the desk has; its parent kills it.

Each line on standard input is a folder; one process imports everything and forks for each, so that many trials
are quick. A child's lines are ``told NUMBER DECISION``; then ``done`` or nothing.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

# run as a file: the project's root is not on the path
sys.path.insert(0, str(Path(__file__).parents[3]))

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.review.desk import Desk


def decide(folder: Path) -> None:
    desk = Desk(Gallery(folder))
    desk.compare()
    draw = random.Random(str(folder))
    while True:
        view = desk.next("Ann")
        if view["task"] is None or draw.random() < 0.25:
            try:
                done = desk.undo("Ann", together=True)
            except UserError:
                continue
            for number in done["undone"]:
                print(f"told undo {number}", flush=True)
            continue
        decision = draw.choice(["same", "different", "cannot-tell"])
        said = {"task": view["lease"], "revision": view["revision"], "decision": decision}
        told = desk.decide("Ann", said)
        print(f"told {decision} {told['number']}", flush=True)
        desk.settle(1.0)


def main() -> None:
    for line in sys.stdin:
        seconds, _, folder = line.rstrip("\n").partition(" ")
        child = os.fork()
        if child == 0:
            try:
                decide(Path(folder))
            finally:
                os._exit(1)
        time.sleep(float(seconds))
        os.kill(child, 9)
        os.waitpid(child, 0)
        print("killed", flush=True)


if __name__ == "__main__":
    main()
