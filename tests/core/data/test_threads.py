from __future__ import annotations

import threading

import pytest

from wildreid.data.threads import AT_ONCE, Threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_are_in_order_whatever_the_threads(threads: int) -> None:
    who, together = set(), threading.Barrier(threads, timeout=60)

    def work(item: int) -> int:
        if item % AT_ONCE == 0 and item < threads * AT_ONCE:
            together.wait()  # all threads have work at once
        who.add(threading.get_ident())
        return -item

    items = list(range(8 * AT_ONCE + 1))
    with Threads(threads) as pool:
        assert list(pool.map(work, items)) == [-item for item in items]
        assert list(pool.map(work, [])) == []
    assert (len(who), threading.get_ident() in who) == (threads, threads == 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_is_raised(threads: int) -> None:
    with Threads(threads) as pool, pytest.raises(ZeroDivisionError):
        list(pool.map(lambda item: 1 // item, [1, 0]))
