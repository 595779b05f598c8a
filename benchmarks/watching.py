"""How busy the device is while a network trains, and how long it waits for images."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch

from wildreid.training import loop

EVERY = 0.1
"""Seconds between two looks."""


@contextmanager
def busy() -> Iterator[list[float]]:
    """Look again and again; the list that is given fills with percentages.

    On a GPU they are nvidia-smi's: the share of its last sampling period in which a kernel ran. Without one they
    are the share of its threads' time that this process used.
    """
    seen: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        process = psutil.Process()
        process.cpu_percent()
        while not stop.wait(EVERY):
            seen.append(
                _gpu() if torch.cuda.is_available() else process.cpu_percent() / torch.get_num_threads()
            )

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _gpu() -> float:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return float("nan")
    ask = [tool, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()[0])


@contextmanager
def waiting() -> Iterator[Callable[[], float]]:
    """Measure how long the training loop's device stands idle until the next images are there.

    On a GPU it is the time between two events of its stream, one recorded when the loop asks for images and one
    when it has them: nothing, while the device still computes. Without one it is the time that the loop stands
    still.

    Returns:
        A call that gives the seconds so far.
    """
    before = loop.prefetch  # type: ignore[attr-defined]
    walls: list[float] = []
    events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def timed(items: Iterable[Any], work: Callable[[Any], Any], *, threads: int) -> Iterator[Any]:
        found = before(items, work, threads=threads)
        while True:
            began, mark = time.perf_counter(), _mark()
            try:
                item = next(found)
            except StopIteration:
                return
            walls.append(time.perf_counter() - began)
            if mark is not None and (end := _mark()) is not None:
                events.append((mark, end))
            yield item

    def spent() -> float:
        if not events:
            return sum(walls)
        torch.cuda.synchronize()
        return sum(first.elapsed_time(second) for first, second in events) / 1000

    loop.prefetch = timed  # type: ignore[attr-defined]
    try:
        yield spent
    finally:
        loop.prefetch = before  # type: ignore[attr-defined]


def _mark() -> torch.cuda.Event | None:
    if not torch.cuda.is_available():
        return None
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def middle(seen: list[float]) -> float | None:
    """The median of what was seen; None where nothing was."""
    return statistics.median(seen) if seen else None
