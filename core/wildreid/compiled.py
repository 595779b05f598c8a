"""Numba's decorator as it is used here, and what compiled code needs in more than one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

ROUNDING = 2e-6
"""More than a float32 product of unit vectors is wrong by."""


def compiled(**options: Any) -> Callable[[Any], Any]:
    """Numba's decorator; the machine code is kept on the disk where there is any place for it."""

    def compile_(function: Any) -> Any:
        try:
            return numba.njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # installed read-only, and nobody's home: compiled again by each process
            return numba.njit(nogil=True, **options)(function)

    return compile_


@compiled(fastmath={"reassoc", "contract"})
def exact_score(a, b):  # type: ignore[no-untyped-def]
    """The product of two vectors in double."""
    total = 0.0
    for i in range(a.shape[0]):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@compiled()
def place(bars, count, score):  # type: ignore[no-untyped-def]
    """The first of the falling `bars` that the score reaches; `count` where it reaches none."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if score >= bars[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@compiled()
def doubtful(bars, count, score, bar):  # type: ignore[no-untyped-def]
    """Whether the rounding of a float32 score could have decided that `bar` is its place."""
    return (bar < count and score - bars[bar] < ROUNDING) or (bar > 0 and bars[bar - 1] - score < ROUNDING)


@compiled()
def sort(scores, items, count):  # type: ignore[no-untyped-def]
    """Sort both by falling score, then by item: Shell's sort, since numba compiles numpy's for seconds."""
    gap = count // 2
    while gap:
        for i in range(gap, count):
            score, item = scores[i], items[i]
            j = i
            while j >= gap and (
                scores[j - gap] < score or (scores[j - gap] == score and items[j - gap] > item)
            ):
                scores[j] = scores[j - gap]
                items[j] = items[j - gap]
                j -= gap
            scores[j] = score
            items[j] = item
        gap //= 2
