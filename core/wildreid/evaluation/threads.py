"""Threads that each multiply matrices of their own, in place of a library that divides one product among its own.

Between two products a library's threads wait by spinning, in the way of whatever is computed meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_ONE_AT_A_TIME = threading.Lock()


def side_by_side(work: Callable[[], object], threads: int) -> None:
    """Call `work` in so many threads at once, this one among them; each has matrix products to itself.

    Two threads of a process that call this are served one after the other: the first uses all cores. One thread
    is called as it is, and its products are divided.
    """
    if threads == 1:
        work()
        return
    with _ONE_AT_A_TIME, _undivided(), ThreadPoolExecutor(threads) as pool:
        others = [pool.submit(work) for _ in range(1, threads)]
        work()
        for other in others:
            other.result()


def cores() -> int:
    """As many threads as a matrix product would have: OMP_NUM_THREADS, else the cores that this process may use."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(asked) if asked.isdigit() and int(asked) else there


@contextmanager
def _undivided() -> Iterator[None]:
    """While it lasts, each matrix product is computed by the thread that asks for it."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """The libraries of this process that have threads; to look for them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
