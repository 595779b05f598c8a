"""Several networks as one: their features side by side, each with its weight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import Field, SerializeAsAny, model_validator

from wildreid.errors import UserError
from wildreid.kinds import Backbone, Mapped, Origin

if TYPE_CHECKING:
    from torch import Tensor, nn

    from wildreid.kinds import Features


class Concat(Backbone):
    """Several networks as one: the cosine of two photos is the weighted mean of the cosines that each gives.

    Each network's features are scaled to unit length, times the root of its share of the weights, and stand side
    by side. It costs what its networks cost together. Each normalises images as it is used to; one with a fixed
    input gets them resized to it. Frozen, the features of each are kept once, for this and any other recipe.
    """

    name = "concat"
    of: tuple[SerializeAsAny[Backbone], ...] = Field(
        min_length=2, description="the networks: [efficientnet-lite, {name: timm, model: resnet18}]"
    )
    weights: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="how much each counts, in their order; null: all alike"
    )

    @model_validator(mode="after")
    def _one_weight_each(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.of):
            raise ValueError(f"there are {len(self.weights)} weights for {len(self.of)} networks")
        return self

    def untrained(self) -> Self:
        """The same networks with nothing fetched or read."""
        return self.model_copy(update={"of": tuple(one.untrained() for one in self.of)})

    def origins(self) -> tuple[Origin, ...]:
        """Those of each network."""
        return tuple(dict.fromkeys(origin for one in self.of for origin in one.origins()))

    def build(self) -> Features:
        """(N, 3, size, size) to (N, the sum of all widths)."""
        import torch
        from torch import nn
        from torch.nn.functional import interpolate, normalize

        class Part(nn.Module):
            """One network, from images in [0, 1] as the others get them, or as it normalises them itself."""

            def __init__(self, option: Backbone) -> None:
                super().__init__()
                self.option = option
                network = option.build()
                self.network = cast("nn.Module", network)
                self.width, self.size = network.width, network.size
                self.mean, self.std, self.stages = network.mean, network.std, network.stages
                self.fixed = bool(getattr(network, "fixed", False))

            def forward(self, images: Tensor) -> Tensor:
                features: Tensor = self.network(self._sized(images))
                return features

            def places(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
                if not isinstance(self.network, Mapped):
                    raise UserError(
                        f"the network '{self.option.name}' does not say where its features come from",
                        where="backbone.of",
                        cure="a heat map needs networks that all do",
                    )
                return self.network.places(self._sized(images))

            def _sized(self, images: Tensor) -> Tensor:
                if not self.fixed or images.shape[-1] == self.size:
                    return images
                smaller = images.shape[-1] > self.size
                return interpolate(images, (self.size, self.size), mode="bilinear", antialias=smaller)

        weights = self.weights or (1.0,) * len(self.of)
        roots = [(weight / sum(weights)) ** 0.5 for weight in weights]
        options = self.of

        class Side(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.parts = nn.ModuleList(Part(option) for option in options)
                parts = cast("Any", self.parts)
                self.width = sum(part.width for part in parts)
                self.size = max(part.size for part in parts)
                self.mean, self.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
                self.stages = together([part.stages for part in parts])

            def forward(self, images: Tensor) -> Tensor:
                return self.join([part(_normalised(images, part)) for part in self.parts])

            def places(self, images: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
                found = [part.places(_normalised(images, part)) for part in cast("Any", self.parts)]
                maps = tuple(one for _, part in found for one in part)
                return self.join([features for features, _ in found]), maps

            def join(self, features: Sequence[Tensor]) -> Tensor:
                """From the features of each network to those of all."""
                pairs = zip(features, roots, strict=True)
                return torch.cat([normalize(one.float()) * root for one, root in pairs], dim=1)

        def _normalised(images: Tensor, part: Any) -> Tensor:
            mean, std = (images.new_tensor(numbers).view(1, 3, 1, 1) for numbers in (part.mean, part.std))
            return (images - mean) / std

        return cast("Features", Side())


def together(
    each: Sequence[Sequence[tuple[str, list[nn.Parameter]]]],
) -> list[tuple[str, list[nn.Parameter]]]:
    """Stages from input to output of networks side by side: their last ones are one stage, and so on back."""
    found = []
    for level in zip_longest(*(reversed(list(stages)) for stages in each)):
        there = [stage for stage in level if stage is not None]
        name = "+".join(dict.fromkeys(name for name, _ in there))
        found.append((name, [parameter for _, own in there for parameter in own]))
    names = [name for name, _ in found]
    return [
        (name if names.count(name) == 1 else f"{name}.{len(found) - at}", own)
        for at, (name, own) in enumerate(found, 1)
    ][::-1]
