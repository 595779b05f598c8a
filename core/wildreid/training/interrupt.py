"""Ctrl-C, heard between two steps instead of in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from wildreid.progress import say


@dataclass
class Stop:
    """Whether the user, or the machine's queue, has asked to stop."""

    asked: bool = False


@contextmanager
def listening() -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into ``Stop.asked``; a second Ctrl-C stops at once, unsaved.

    Off the main thread, where signals cannot be caught, nothing is ever asked.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def hear(number: int, frame: FrameType | None) -> None:
        if stop.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.asked = True
        say("stopping at the next step and saving; Ctrl-C again stops at once")

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
