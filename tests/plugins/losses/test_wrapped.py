"""Losses around losses: sums, and pairs with earlier batches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import normalize

from wildreid.errors import UserError
from wildreid.kinds import Loss
from wildreid.registry import Registry
from wildreid.testing import check_option
from wildreid_plugins.losses.arcface import ArcFace
from wildreid_plugins.losses.contrastive import Contrastive
from wildreid_plugins.losses.cross_batch_memory import CrossBatchMemory
from wildreid_plugins.losses.sum import Sum
from wildreid_plugins.losses.triplet import Triplet

LABELS = torch.arange(4).repeat_interleave(2)
SAME = {"width": 4, "classes": 4}


def batch(seed: int) -> torch.Tensor:
    return normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(seed)))


def test_a_sum_adds_its_losses() -> None:
    torch.manual_seed(0)
    both = Sum(losses=(ArcFace(), Triplet()), weights=(0.5, 2.0)).build(**SAME)
    torch.manual_seed(0)
    first, second = ArcFace().build(**SAME), Triplet().build(**SAME)
    expected = 0.5 * first(batch(0), LABELS, None) + 2 * second(batch(0), LABELS, None)
    torch.testing.assert_close(both(batch(0), LABELS, None), expected)
    assert len(list(both.parameters())) == 1  # type: ignore[attr-defined]


def test_a_sum_is_written_in_a_recipe() -> None:
    written = {"name": "sum", "losses": ["arcface", {"name": "triplet", "margin": 0.1}]}
    context = {"registry": Registry()}
    read = Loss.model_validate(written, context=context)
    assert read == Sum(losses=(ArcFace(), Triplet(margin=0.1)))
    assert Loss.model_validate(read.model_dump(mode="json"), context=context) == read
    with pytest.raises(ValidationError, match="1 weights for 2 losses"):
        Loss.model_validate({**written, "weights": [1.0]}, context=context)
    with pytest.raises(ValidationError, match="did you mean 'triplet'"):
        Loss.model_validate({"name": "sum", "losses": ["arcface", "tripplet"]}, context=context)


def test_images_are_paired_with_those_of_earlier_batches() -> None:
    memory = CrossBatchMemory(loss=Contrastive(), size=16).build(**SAME)
    memory(batch(0), LABELS, None)
    value = memory(batch(1), LABELS, None)
    new, all_, truth = batch(1), torch.cat([batch(0), batch(1)]), torch.cat([LABELS, LABELS])
    distance = torch.cdist(new, all_)
    alike = LABELS[:, None] == truth[None, :]
    itself = torch.zeros(8, 16, dtype=torch.bool)
    itself[torch.arange(8), torch.arange(8, 16)] = True
    pull, push = distance[alike & ~itself], (1 - distance[~alike]).clamp(min=0)
    expected = pull[pull > 0].mean() + push[push > 0].mean()
    torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-5)


def test_the_oldest_embeddings_are_forgotten() -> None:
    small, other = (CrossBatchMemory(size=16).build(**SAME) for _ in range(2))
    for seed in (0, 1, 2):
        last = small(batch(seed), LABELS, None)
    for seed in (1, 2):
        expected = other(batch(seed), LABELS, None)
    torch.testing.assert_close(last, expected)


def test_what_a_memory_cannot_do_is_told() -> None:
    with pytest.raises(UserError, match="'arcface' cannot look at images of earlier batches"):
        CrossBatchMemory(loss=ArcFace()).build(**SAME)
    with pytest.raises(UserError, match="holds 4 embeddings, and a batch has 8"):
        CrossBatchMemory(size=4).build(**SAME)(batch(0), LABELS, None)


def test_the_contract_check_stops_and_resumes_a_loss() -> None:
    class Forgetful(Loss):
        """Remembers earlier batches outside its state."""

        name = "forgetful"

        def build(self, *, width: int, classes: int) -> Any:
            from pytorch_metric_learning import losses

            return losses.CrossBatchMemory(losses.ContrastiveLoss(), width, memory_size=64)

    with pytest.raises(AssertionError, match="goes on otherwise after a checkpoint"):
        check_option(Forgetful)
    check_option(CrossBatchMemory(size=32))
