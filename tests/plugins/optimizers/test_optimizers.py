"""Rates and weight decays of backbone, head and loss, stage by stage."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from wildreid.errors import UserError
from wildreid_plugins.optimizers.adam import Adam
from wildreid_plugins.optimizers.adamw import AdamW
from wildreid_plugins.optimizers.rates import Rated
from wildreid_plugins.optimizers.sgd import Sgd
from wildreid_plugins.optimizers.timm import Timm

RATES = {"backbone_rate": 0.1, "head_rate": 0.2, "loss_rate": 0.3}
DECAYS = {"backbone_decay": 0.01, "head_decay": 0.02, "loss_decay": 0.03}


def groups() -> dict[str, list[nn.Parameter]]:
    names = ("backbone.stem", "backbone.middle", "backbone.last", "head", "loss")
    return {name: [nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2))] for name in names}


@pytest.mark.parametrize("option", [Adam, AdamW, Sgd, Timm])
def test_each_part_has_its_own_rate_and_decay(option: type[Rated]) -> None:
    made = option(**RATES, **DECAYS, layer_decay=0.5).build(groups=groups())
    found = {(group["name"], group["params"][0].ndim): group for group in made.param_groups}
    rates = {"backbone.stem": 0.025, "backbone.middle": 0.05, "backbone.last": 0.1, "head": 0.2, "loss": 0.3}
    decays = {
        "backbone.stem": 0.01,
        "backbone.middle": 0.01,
        "backbone.last": 0.01,
        "head": 0.02,
        "loss": 0.03,
    }
    assert len(found) == len(made.param_groups) == 10
    for (name, dimensions), group in found.items():
        assert group["lr"] == pytest.approx(rates[name])
        assert group["weight_decay"] == (decays[name] if dimensions == 2 else 0)


@pytest.mark.parametrize(
    ("option", "plain"),
    [
        (Adam(**RATES, **DECAYS), lambda ps, lr, wd: torch.optim.Adam(ps, lr=lr, weight_decay=wd)),
        (AdamW(**RATES, **DECAYS), lambda ps, lr, wd: torch.optim.AdamW(ps, lr=lr, weight_decay=wd)),
        (
            Sgd(**RATES, **DECAYS),
            lambda ps, lr, wd: torch.optim.SGD(ps, lr=lr, momentum=0.9, weight_decay=wd),
        ),
    ],
)
def test_steps_are_those_of_torch(option: Rated, plain: type) -> None:
    ours, theirs = groups(), groups()
    made = option.build(groups=ours)
    lone = [
        plain(
            [parameter], RATES[f"{name.split('.')[0]}_rate"], DECAYS[f"{name.split('.')[0]}_decay"] * (n == 0)
        )
        for name, pair in theirs.items()
        for n, parameter in enumerate(pair)
    ]
    for _ in range(3):
        for group in (ours, theirs):
            for pair in group.values():
                for parameter in pair:
                    parameter.grad = parameter.detach() ** 2 + 0.5
        made.step()
        for one in lone:
            one.step()
    for name in ours:
        for mine, other in zip(ours[name], theirs[name], strict=True):
            torch.testing.assert_close(mine, other)


def test_timm_takes_its_own_options() -> None:
    made = Timm(optimizer="lion", options={"betas": (0.8, 0.9)}).build(groups=groups())
    assert type(made).__name__ == "Lion"
    assert tuple(made.param_groups[0]["betas"]) == (0.8, 0.9)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (Timm(optimizer="adamww"), "no optimizer named 'adamww', did you mean 'adamw'"),
        (Timm(optimizer="lion", options={"momentun": 1}), "lion does not take these options: .*momentun"),
    ],
)
def test_mistakes_are_told_when_it_is_built(option: Timm, message: str) -> None:
    with pytest.raises(UserError, match=message):
        option.build(groups=groups())


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValidationError, match="'nesterov' needs a momentum"):
        Sgd(nesterov=True, momentum=0)
