from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made import micro

from wildreid.errors import UserError
from wildreid.training.checkpoint import Checkpoints, Standing
from wildreid.training.embedder import build_embedder
from wildreid.training.learner import Learner, build_learner
from wildreid.training.world import ALONE


def learner(**changes: object) -> Learner:
    recipe = micro.recipe(**changes)
    return build_learner(recipe, build_embedder(recipe), classes=3, steps=10)


def descend(one: Learner) -> torch.Tensor:
    """A step on random images; gives what the gradient was before it."""
    size = one.embedder.size
    images = torch.randint(0, 255, (6, size, size, 3), dtype=torch.uint8)
    one.loss(one.embedder.train()(images), torch.tensor([0, 0, 1, 1, 2, 2])).backward()  # type: ignore[no-untyped-call]
    found = torch.cat([p.grad.flatten() for p in one.learning if p.grad is not None])
    one.step()
    return found


def test_a_step_moves_what_learns_and_leaves_no_gradient() -> None:
    one = learner(loss="arcface")
    before = [parameter.detach().clone() for parameter in one.learning]
    assert descend(one).norm() > 0
    assert any(not torch.equal(old, new) for old, new in zip(before, one.learning, strict=True))
    assert all(parameter.grad is None for parameter in one.learning)
    assert one.own  # arcface has directions of its own, which learn too
    assert {id(parameter) for parameter in one.own} <= {id(parameter) for parameter in one.learning}
    assert one.measured is one.embedder


def test_the_gradient_is_clipped_to_a_norm() -> None:
    moved = []
    for clip in (None, 1e-3):
        torch.manual_seed(0)
        one = learner(
            optimizer={
                "name": "sgd",
                "backbone_rate": 1.0,
                "head_rate": 1.0,
                "loss_rate": 1.0,
                "momentum": 0.0,
            },
            training={"clip": clip},
        )
        before = torch.cat([parameter.detach().flatten() for parameter in one.learning])
        gradient = descend(one)
        moved.append((before - torch.cat([p.detach().flatten() for p in one.learning])).norm())
        if clip is None:
            assert gradient.norm() > 1e-3
    assert moved[1] == pytest.approx(1e-3, rel=1e-2)
    assert moved[0] > moved[1]


def test_an_average_is_what_is_measured_and_kept() -> None:
    one = learner(training={"ema": 0.5})
    before = next(one.embedder.head.parameters()).detach().clone()
    assert "average" in one.parts()
    descend(one)
    descend(one)
    assert one.measured is not one.embedder
    assert not torch.equal(next(one.measured.head.parameters()), before)
    assert not torch.equal(next(one.measured.head.parameters()), next(one.embedder.head.parameters()))


def test_nothing_to_learn_is_refused() -> None:
    recipe = micro.recipe()
    embedder = build_embedder(recipe).requires_grad_(False)
    with pytest.raises(UserError, match="have nothing to learn"):
        build_learner(recipe, embedder, classes=3, steps=10)


def test_a_checkpoint_puts_every_part_and_the_generators_back(tmp_path: Path) -> None:
    one, place = learner(), torch.device("cpu")
    kept = Checkpoints(tmp_path, {"recipe": "this"}, one.parts(), place=place, world=ALONE)
    assert kept.restore() is None
    descend(one)
    kept.save(Standing(2, 7, [{"epoch": 1}, {"epoch": 2}]))
    drawn = torch.rand(3)
    other = learner()
    again = Checkpoints(tmp_path, {"recipe": "this"}, other.parts(), place=place, world=ALONE)
    assert again.restore() == Standing(2, 7, [{"epoch": 1}, {"epoch": 2}])
    assert torch.equal(torch.rand(3), drawn)
    for mine, theirs in zip(one.learning, other.learning, strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(UserError, match="another recipe"):
        Checkpoints(tmp_path, {"recipe": "that"}, other.parts(), place=place, world=ALONE).restore()
