"""Heads: their layers, widths and what is left out."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn

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


@pytest.mark.parametrize(
    ("norm", "layer"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm), ("none", None)]
)
def test_mlp_norms(norm: Literal["batch", "layer", "none"], layer: type | None) -> None:
    found = [type(module) for module in Mlp(norm=norm, depth=2).build(width=8).modules()]
    norms = [kind for kind in found if kind in (nn.BatchNorm1d, nn.LayerNorm)]
    assert norms == ([layer] * 2 if layer else [])


def test_linear_is_one_matrix() -> None:
    head = Linear(width=5, bias=False).build(width=3)
    assert [tuple(parameter.shape) for parameter in head.parameters()] == [(5, 3)]


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
