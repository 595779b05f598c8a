"""Many small pieces of work in threads, their answers in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

A = TypeVar("A")
B = TypeVar("B")
AT_ONCE = 4
"""Pieces of work handed over together: to hand one over costs as much as to hash a small file."""


class Threads:
    """So many threads, for as long as the context lasts; where it is one, it is the caller's own."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def map(self, work: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """The answer to each item, in their order."""
        if self._pool is None:
            yield from map(work, items)
            return
        some = [items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]
        for answers in self._pool.map(lambda few: [work(item) for item in few], some):
            yield from answers
