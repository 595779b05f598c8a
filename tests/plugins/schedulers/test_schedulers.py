"""Learning rates over a run, against their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from wildreid.kinds import Schedule, Scheduler
from wildreid_plugins.schedulers.constant import Constant
from wildreid_plugins.schedulers.cosine import Cosine
from wildreid_plugins.schedulers.plateau import Plateau
from wildreid_plugins.schedulers.step import Step


def begin(option: Scheduler, steps: int = 100) -> tuple[torch.optim.Optimizer, Schedule]:
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD(
        [{"params": [one], "lr": rate} for one, rate in zip(weights, (1.0, 0.1), strict=True)]
    )
    return optimizer, option.build(optimizer=optimizer, steps=steps)


def rates(option: Scheduler, steps: int = 100) -> list[float]:
    optimizer, schedule = begin(option, steps)
    found = []
    for _ in range(steps + 1):
        first, second = (group["lr"] for group in optimizer.param_groups)
        assert second == pytest.approx(first / 10)
        found.append(first)
        optimizer.step()
        schedule.step(None)
    return found


def test_constant() -> None:
    assert rates(Constant()) == [1.0] * 101
    assert rates(Constant(warmup=0.1))[:11] == pytest.approx([*[(n + 1) / 11 for n in range(10)], 1.0])


def test_cosine_with_warmup_and_floor() -> None:
    found = rates(Cosine(warmup=0.2, floor=0.1))
    assert found[:20] == pytest.approx([(n + 1) / 21 for n in range(20)])
    for step in range(20, 101):
        expected = 0.1 + 0.9 * (1 + math.cos(math.pi * (step - 20) / 80)) / 2
        assert found[step] == pytest.approx(expected)
    assert found[100] == pytest.approx(0.1)


def test_steps() -> None:
    found = rates(Step(at=(0.5, 0.9), factor=0.1))
    assert found[49] == 1.0
    assert found[50:90] == pytest.approx([0.1] * 40)
    assert found[90:] == pytest.approx([0.01] * 11)


def test_plateau_drops_after_patience_and_never_between_validations() -> None:
    optimizer, schedule = begin(Plateau(factor=0.5, patience=1, min_gain=0.1))
    seen = []
    for value in (0.5, 0.55, 0.58, 0.7, 0.71, 0.72):
        for _ in range(7):
            schedule.step(None)
        schedule.step(value)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_run_shorter_than_its_warmup_works() -> None:
    assert all(0 <= rate <= 1 for rate in rates(Cosine(warmup=0.9), steps=1))
