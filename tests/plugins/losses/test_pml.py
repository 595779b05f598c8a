"""Any loss of pytorch-metric-learning by name: found, filled in, and checked when it is built."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from wildreid.errors import UserError
from wildreid_plugins.losses.circle import Circle
from wildreid_plugins.losses.pml import Pml
from wildreid_plugins.losses.subcenter_arcface import SubcenterArcFace
from wildreid_plugins.losses.triplet import Triplet

EMBEDDINGS = normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
LABELS = torch.arange(4).repeat_interleave(2)
SOME = (
    "AngularLoss", "CosFaceLoss", "FastAPLoss", "GeneralizedLiftedStructureLoss", "IntraPairVarianceLoss",
    "MarginLoss", "NCALoss", "NPairsLoss", "NTXentLoss", "NormalizedSoftmaxLoss", "ProxyAnchorLoss",
    "ProxyNCALoss", "SignalToNoiseRatioContrastiveLoss", "SoftTripleLoss", "TupletMarginLoss",
)  # fmt: skip


@pytest.mark.parametrize("name", SOME)
def test_a_loss_by_name_gives_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    raw = EMBEDDINGS.clone().requires_grad_()
    value = Pml(loss=name).build(width=4, classes=4)(normalize(raw), LABELS, None)
    value.backward()  # type: ignore[no-untyped-call]
    assert raw.grad is not None
    assert raw.grad.abs().sum() > 0
    assert torch.isfinite(raw.grad).all()


def test_it_is_the_same_loss_as_by_our_own_name() -> None:
    pml = Pml(loss="CircleLoss", options={"m": 0.3, "gamma": 64})
    own = Circle(margin=0.3, scale=64)
    values = [option.build(width=4, classes=4)(EMBEDDINGS, LABELS, None) for option in (pml, own)]
    assert values[0] == values[1]


def test_arguments_that_are_taken_by_keyword_alone_are_known() -> None:
    torch.manual_seed(0)
    pml = Pml(loss="SubCenterArcFaceLoss", options={"sub_centers": 2}).build(width=4, classes=4)
    torch.manual_seed(0)
    own = SubcenterArcFace(centers=2).build(width=4, classes=4)
    assert pml(EMBEDDINGS, LABELS, None) == own(EMBEDDINGS, LABELS, None)


def test_the_distance_can_be_named() -> None:
    pml = Pml(loss="TripletMarginLoss", options={"margin": 0.2}, distance="CosineSimilarity").build(
        width=4, classes=4
    )
    expected = Triplet().build(width=4, classes=4)(EMBEDDINGS, LABELS, None)
    assert pml(EMBEDDINGS, LABELS, None) == expected


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (Pml(loss="NTXentLos"), "no loss named 'NTXentLos', did you mean 'NTXentLoss'"),
        (Pml(loss="CrossBatchMemory"), "no loss named 'CrossBatchMemory'"),
        (
            Pml(loss="NTXentLoss", options={"temprature": 1}),
            "takes no 'temprature', did you mean 'temperature'",
        ),
        (Pml(loss="RankedListLoss"), "cannot be built in this way: .*margin"),
        (Pml(loss="NTXentLoss", distance="Cosine"), "no distance named 'Cosine'"),
    ],
)
def test_mistakes_are_told_when_it_is_built(option: Pml, message: str) -> None:
    with pytest.raises(UserError, match=message):
        option.build(width=4, classes=4)


def test_a_loss_that_takes_no_miner_says_so() -> None:
    loss = Pml(loss="PNPLoss").build(width=4, classes=4)
    assert torch.isfinite(loss(EMBEDDINGS, LABELS, None))
    with pytest.raises(UserError, match="PNPLoss takes no miner"):
        loss(EMBEDDINGS, LABELS, (torch.tensor([0]), torch.tensor([1]), torch.tensor([2])))
