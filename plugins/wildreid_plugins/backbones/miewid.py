"""MiewID: an EfficientNetV2 trained by Wildbook's makers to tell animals of many species apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from pydantic import Field

from wildreid.kinds import Backbone, Origin
from wildreid.option import Location

if TYPE_CHECKING:
    from torch import Tensor

    from wildreid.kinds import Features

NETWORK, SIZE = "efficientnetv2_rw_m", 440
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class MiewId(Backbone):
    """MiewID: EfficientNetV2-M, generalised-mean pooling with a learned power, and a batch norm; 2152 wide.

    Its weights come from a repository of the Hugging Face hub, its cache, or a local safetensors file, by
    strict names; the code that lies beside them is never run. Their authors state no licence on the card of
    msv3: ask them before you use it. They are not part of wildreid, and no figure of them was measured for this
    documentation. It takes images of 440 pixels: set ``images.size``.

    Source: Otarashvili et al. 2024, "Multispecies Animal Re-ID Using a Large Community-Curated Dataset",
    https://arxiv.org/abs/2412.05602; network as in https://github.com/WildMeOrg/wbia-plugin-miew-id.
    """

    name = "miewid"
    pretrained: bool = Field(True, description="start from its weights; false: from random ones")
    repository: str = Field(
        "conservationxlabs/miewid-msv3", description="of the hub, with model.safetensors of its weights"
    )
    weights: Location | None = Field(
        None, description="a local safetensors file; null: the hub's cache, else the hub"
    )

    def untrained(self) -> Self:
        """The same network with nothing read."""
        return self.model_copy(update={"pretrained": False, "weights": None})

    def origins(self) -> tuple[Origin, ...]:
        """The repository with what its card says, or the local file."""
        from wildreid_plugins.backbones.repository import HUB, Repository

        if not self.pretrained:
            return ()
        cite = "Otarashvili et al. 2024, https://arxiv.org/abs/2412.05602"
        if self.weights:
            return (Origin(f"MiewID, {self.weights.name}", "", cite),)
        name = f"{HUB}{self.repository}"
        return (Origin(name, Repository(name).licence(), cite),)

    def build(self) -> Features:
        """(N, 3, size, size) to (N, 2152)."""
        from torch import nn

        from wildreid_plugins.backbones.repository import HUB, Repository
        from wildreid_plugins.backbones.stages import stages
        from wildreid_plugins.backbones.weights import fit_weights, read_weights

        network = _network()
        if self.pretrained:
            file = self.weights or Repository(f"{HUB}{self.repository}").weights()
            fit_weights(network, read_weights(file), where=str(file))
        tail: list[nn.Parameter] = [network.pooling.p, *network.bn.parameters()]
        described: dict[str, Any] = {
            "width": int(network.bn.num_features),
            "size": SIZE,
            "mean": MEAN,
            "std": STD,
            "stages": [*stages(network.backbone), ("neck", tail)],
        }
        for name, value in described.items():
            setattr(network, name, value)
        return cast("Features", network)


def _network() -> Any:
    """The network under the names of its published weights: ``backbone``, ``pooling.p`` and ``bn``."""
    import timm
    import torch
    from torch import nn

    class Pooling(nn.Module):
        """(mean x^p)^(1/p) over positions, x at least 1e-6."""

        def __init__(self) -> None:
            super().__init__()
            self.p = nn.Parameter(torch.full((1,), 3.0))

        def forward(self, maps: Tensor) -> Tensor:
            powered = maps.float().clamp(min=1e-6).pow(self.p).mean((2, 3))
            return powered.pow(1 / self.p).to(maps.dtype)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = timm.create_model(NETWORK, num_classes=0, global_pool="")
            self.pooling = Pooling()
            self.bn = nn.BatchNorm1d(int(cast("int", self.backbone.num_features)))

        def forward(self, images: Tensor) -> Tensor:
            pooled: Tensor = self.bn(self.pooling(self.backbone(images)))
            return pooled

    return Network()
