from __future__ import annotations

import threading

import numpy as np
import pytest
from made.tables import simulated
from threadpoolctl import threadpool_info

from wildreid.evaluation import rank as ranking
from wildreid.evaluation import threads
from wildreid.evaluation.rank import rank


def products() -> list[int]:
    """How many threads each library that multiplies matrices may use now."""
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_each_thread_multiplies_alone_and_all_is_as_before_afterwards() -> None:
    before, seen, together = products(), list[tuple[str, list[int]]](), threading.Barrier(3, timeout=60)

    def work() -> None:
        together.wait()  # all three are there at once
        seen.append((threading.current_thread().name, products()))

    threads.side_by_side(work, 3)
    assert len({name for name, _ in seen}) == 3
    assert all(numbers == [1] * len(before) for _, numbers in seen)
    assert products() == before


@pytest.mark.parametrize("own", [True, False])
def test_what_fails_in_a_thread_is_raised(own: bool) -> None:
    caller, before = threading.current_thread(), products()

    def work() -> None:
        if (threading.current_thread() is caller) == own:
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        threads.side_by_side(work, 2)
    assert products() == before


@pytest.mark.parametrize("cores", [1, 2, 7])
def test_threads_and_memory_change_no_rank(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    table, embeddings = simulated(individuals=9, encounters=3, burst=2, noise=1.5)
    plain = rank(embeddings, table, protocol="cross-encounter")
    monkeypatch.setattr(ranking, "cores", lambda: cores)
    monkeypatch.setattr(ranking, "FEW", 0)
    held = []
    empty = np.empty

    def counted(shape: tuple[int, ...], *given: object, **named: object) -> np.ndarray:
        held.append(shape)
        return empty(shape, *given, **named)

    for room in (ranking.SCORES, 4 * 5 * len(table)):  # scores of five queries at a time
        monkeypatch.setattr(ranking, "SCORES", room)
        monkeypatch.setattr(np, "empty", counted)
        found = rank(embeddings, table, protocol="cross-encounter")
        monkeypatch.setattr(np, "empty", empty)
        for name in ("own_rank", "true_ranks", "top", "top_images", "valid", "masked"):
            np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
    several = [shape[0] for shape in held if isinstance(shape, tuple) and shape[1:] == (len(table),)]
    assert min(several) <= max(1, 5 // cores)


def test_cores_are_those_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
    assert threads.cores() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.cores() >= 1
