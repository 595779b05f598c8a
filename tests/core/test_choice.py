from __future__ import annotations

import pytest

from wildreid.choice import choice_of


def lines(values, **more):
    return [{"epoch": n, "map": value, **more} for n, value in enumerate(values, 1)]


def test_the_best_epoch_and_how_far_the_last_ones_are_apart():
    found = choice_of(lines([0.9, *[0.1] * 5, *[0.4, 0.6] * 5]), {"training": {"watch": "map"}})
    assert (found.epoch, found.epochs, found.value) == (1, 16, 0.9)
    assert (found.last, found.low, found.high) == (10, 0.4, 0.6)
    assert found.spread == pytest.approx(0.1)
    assert "epoch 1 of 16, chosen by validation map of 0.900" in str(found)
    assert "In the last 10 epochs it was 0.400 to 0.600 (standard deviation 0.100)" in str(found)


def test_what_was_smoothed_chose():
    history = lines([0.9, 0.1, 0.5, 0.6])
    for line, value in zip(history, [0.45, 0.5, 0.3, 0.55], strict=True):
        line["watched"] = value
    found = choice_of(history, {"training": {"watch": "map", "smooth": 2}})
    assert (found.epoch, found.value, found.high) == (4, 0.55, 0.9)
    assert "mean of 2 epochs" in str(found)


def test_nothing_was_chosen():
    assert choice_of((), {}) is None
    assert choice_of([{"epoch": 1, "loss": 2.0}], {"training": {"watch": "map"}}) is None
