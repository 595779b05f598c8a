"""Heads: their layers, widths and what is left out."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn

from wildreid.kinds import Head
from wildreid.registry import Registry
from wildreid_plugins.heads.bnneck import BnNeck
from wildreid_plugins.heads.identity import Identity
from wildreid_plugins.heads.linear import Linear
from wildreid_plugins.heads.mlp import Mlp


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("width", [512, 1024, 2048])
def test_mlp_of_any_depth_and_width(depth: int, width: int) -> None:
    head = Mlp(depth=depth, width=width, hidden=32, dropout=0.5).build(width=16)
    linear = [module for module in head.modules() if isinstance(module, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [
        *[(16 if n == 0 else 32, 32) for n in range(depth)],
        (32 if depth else 16, width),
    ]
    assert sum(isinstance(module, nn.Dropout) for module in head.modules()) == depth
    assert head(torch.rand(3, 16)).shape == (3, head.width) == (3, width)


def test_mlp_normalises_before_each_matrix() -> None:
    kinds = [type(module) for module in Mlp(depth=2, dropout=0.1).build(width=8).children()]
    hidden = [nn.BatchNorm1d, nn.Linear, nn.ReLU, nn.Dropout]
    assert kinds == [*hidden, *hidden, nn.BatchNorm1d, nn.Linear]


@pytest.mark.parametrize(
    ("norm", "layer"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm), ("none", None)]
)
def test_mlp_norms(norm: Literal["batch", "layer", "none"], layer: type | None) -> None:
    found = [type(module) for module in Mlp(norm=norm, depth=2).build(width=8).modules()]
    norms = [kind for kind in found if kind in (nn.BatchNorm1d, nn.LayerNorm)]
    assert norms == ([layer] * 2 if layer else [])


def test_linear_is_one_matrix_behind_a_norm() -> None:
    head = Linear(width=5, bias=False).build(width=3)
    assert [type(module) for module in head.children()] == [nn.BatchNorm1d, nn.Linear]
    plain = Linear(width=5, bias=False, norm="none").build(width=3)
    assert [tuple(parameter.shape) for parameter in plain.parameters()] == [(5, 3)]


@pytest.mark.parametrize("head", [Linear(width=16), Mlp(width=16, hidden=16), BnNeck(width=16)])
def test_features_that_are_nearly_alike_do_not_give_embeddings_that_are(head: Head) -> None:
    torch.manual_seed(0)
    features = torch.rand(1, 32) * 10 + torch.rand(64, 32) * 0.1  # as those of an untrained network

    def together(built: nn.Module) -> float:
        with torch.no_grad():
            return float(nn.functional.normalize(built(features)).mean(0).square().sum())

    assert together(head.build(width=32)) < 0.5 < 0.9 < together(Linear(norm="none").build(width=32))


@pytest.mark.parametrize(
    ("saved", "norm"),
    [
        ({"name": "linear", "width": 8, "bias": True}, "none"),
        ({"name": "linear", "width": 8, "bias": True, "norm": "batch"}, "batch"),
        ({"name": "mlp", "width": 8, "depth": 1, "hidden": 8, "dropout": 0.0, "norm": "batch"}, "batch"),
    ],
)
def test_a_head_of_an_earlier_version_is_what_it_was(saved: dict[str, object], norm: str) -> None:
    registry = Registry()
    assert Head.model_validate(saved, context={"registry": registry, "saved": True}).norm == norm  # type: ignore[attr-defined]
    if "norm" not in saved:  # but in a recipe that somebody writes today it has today's default
        assert Head.model_validate(saved, context={"registry": registry}).norm == "batch"  # type: ignore[attr-defined]


def test_bnneck_centres_and_scales_and_never_shifts() -> None:
    head = BnNeck().build(width=4)
    out = head(torch.rand(64, 4) * 7 + 3)
    torch.testing.assert_close(out.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(0, unbiased=False), torch.ones(4), atol=1e-3, rtol=0)
    assert [parameter.requires_grad for parameter in head.parameters()] == [True, False]
    assert BnNeck(width=2).build(width=4)(torch.rand(3, 4)).shape == (3, 2)


def test_identity_changes_nothing() -> None:
    features = torch.rand(2, 7)
    head = Identity().build(width=7)
    assert head.width == 7
    assert torch.equal(head(features), features)
