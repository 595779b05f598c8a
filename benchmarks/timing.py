"""Seconds of wall and of processor time, taken in turns, so that what slows the machine slows all sides.

Only the standard library is imported here: a peer's own environment can use this file too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

PAIRS = 5
"""How often each side is timed at least."""


class Seconds(NamedTuple):
    """How long a piece of work took; other work on the machine disturbs the processor time less."""

    wall: float
    processor: float


class Clock:
    """Reads the seconds since it was made or set, for work whose preparation must not count."""

    def __init__(self) -> None:
        self.set()

    def set(self) -> None:
        """Start again."""
        settle()
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        """The seconds so far, all work that a GPU still has included."""
        settle()
        return Seconds(time.perf_counter() - self._wall, time.process_time() - self._processor)


Side = Callable[[], object]
"""What is timed. One that returns `Seconds` has timed itself; any other is timed from call to return."""


def took(side: Side) -> Seconds:
    """How long a side takes, once, after what ran before it has come to rest."""
    rest()
    clock = Clock()
    found = side()
    return found if isinstance(found, Seconds) else clock.read()


def interleave(
    sides: Mapping[str, Side], *, pairs: int = PAIRS, warm: bool = True
) -> dict[str, list[Seconds]]:
    """Time each side in turn, again and again; pair n of two sides is their nth times.

    Args:
        sides: what is timed, by name, in this order.
        pairs: how many turns.
        warm: whether each side runs once before, untimed.
    """
    for side in sides.values() if warm else ():
        side()
    found: dict[str, list[Seconds]] = {name: [] for name in sides}
    for _ in range(pairs):
        for name, side in sides.items():
            found[name].append(took(side))
    return found


def rest() -> None:
    """Wait, half a second at most, until this process does nothing.

    After its work a library's threads spin for up to a tenth of a second, in the way of whoever is timed next.
    """
    for _ in range(25):
        before = time.process_time()
        time.sleep(0.02)
        if time.process_time() - before < 0.002:
            return


def settle() -> None:
    """Wait until a GPU has done what it was asked."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
