"""Several networks as one: weighted cosines, inputs of their own, stages for freezing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import normalize

from wildreid.kinds import Origin
from wildreid.registry import Registry
from wildreid_plugins.backbones.concat import Concat, together
from wildreid_plugins.backbones.pixels import Pixels
from wildreid_plugins.backbones.timm import Timm

TWO = (Timm(model="test_resnet"), Pixels(size=8))


def test_a_cosine_is_the_weighted_mean_of_the_networks_cosines() -> None:
    torch.manual_seed(0)
    both: Any = Concat(of=TWO, weights=(1, 3)).build()
    images = torch.rand(5, 3, 32, 32)
    with torch.inference_mode():
        found = both.eval()(images)
        assert torch.allclose(found.norm(dim=1), torch.ones(5), atol=1e-6)
        cosines = []
        for part in both.parts:
            mean, std = (torch.tensor(numbers).view(1, 3, 1, 1) for numbers in (part.mean, part.std))
            own = normalize(part.network((images - mean) / std))
            cosines.append(own @ own.T)
        assert torch.allclose(found @ found.T, 0.25 * cosines[0] + 0.75 * cosines[1], atol=1e-5)
    assert both.width == both.parts[0].width + 64


def test_a_network_of_a_fixed_size_gets_images_of_its_size() -> None:
    fixed = Timm(model="test_vit")
    own: Any = fixed.build()
    assert own.fixed
    both: Any = Concat(of=(Pixels(size=8), fixed)).build()
    with torch.inference_mode():
        assert both.eval()(torch.rand(2, 3, own.size + 32, own.size + 32)).shape == (2, both.width)


def test_the_last_stages_of_all_are_one_stage() -> None:
    both: Any = Concat(of=(Timm(model="test_resnet"), Timm(model="test_resnet"))).build()
    staged = [id(parameter) for _, own in both.stages for parameter in own]
    assert sorted(staged) == sorted(id(parameter) for parameter in both.parameters())
    one: Any = Timm(model="test_resnet").build()
    assert [name for name, _ in both.stages] == [name for name, _ in one.stages]
    assert len(both.stages[-1][1]) == 2 * len(one.stages[-1][1])
    stages: Any = together([[("a", [1]), ("b", [2])], [("b", [3])]])
    assert stages == [("a", [1]), ("b", [2, 3])]


def test_weights_in_recipes_and_where_they_come_from() -> None:
    context = {"registry": Registry()}
    plain = {"of": ["pixels", {"name": "timm", "model": "test_resnet"}], "weights": [2, 1]}
    option = Concat.model_validate(plain, context=context)
    assert Concat.model_validate(option.model_dump(mode="json"), context=context) == option
    with pytest.raises(ValidationError, match="there are 1 weights for 2 networks"):
        Concat(of=TWO, weights=(1,))
    with pytest.raises(ValidationError):
        Concat(of=TWO[:1])

    class Named(Pixels):
        """Weights from somewhere."""

        name = "named"

        def origins(self) -> tuple[Origin, ...]:
            return (Origin("here", "mit"),)

    assert Concat(of=(Named(), *TWO, Named())).origins() == (Origin("here", "mit"),)
