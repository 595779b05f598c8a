"""MegaDescriptor: Swin transformers trained to tell animals of many species apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from wildreid.kinds import Backbone, Origin
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.kinds import Features

NETWORKS = {
    "T-224": ("swin_tiny_patch4_window7_224", 224),
    "S-224": ("swin_small_patch4_window7_224", 224),
    "B-224": ("swin_base_patch4_window7_224", 224),
    "L-224": ("swin_large_patch4_window7_224", 224),
    "L-384": ("swin_large_patch4_window12_384", 384),
}
"""timm's name and the input of each."""
NUMBERS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
LICENCE = "cc-by-nc-4.0"
CITE = "Čermák et al. 2024, WildlifeDatasets: An Open-Source Toolkit for Animal Re-Identification, WACV"


class MegaDescriptor(Backbone):
    """MegaDescriptor by its size: T-224, S-224, B-224, L-224 or L-384. For non-commercial use alone.

    Its weights (CC BY-NC 4.0, as its cards say) come from the repository BVRA/MegaDescriptor-… of the Hugging
    Face hub, its cache, or a local file. They are not part of wildreid, and no figure of them was measured for
    this documentation. The cards and the configs of some sizes disagree about the normalisation: name yours.

    Source: Čermák, Picek, Adam & Papafitsoros 2024, "WildlifeDatasets: An Open-Source Toolkit for Animal
    Re-Identification", WACV.
    """

    name = "megadescriptor"
    variant: Literal["T-224", "S-224", "B-224", "L-224", "L-384"] = Field(
        "T-224", description="size of the network, and pixels a side that it takes: set images.size to them"
    )
    pretrained: bool = Field(True, description="start from its weights; false: from random ones")
    weights: Location | None = Field(
        None, description="a local file of its weights; null: the hub's cache, else the hub"
    )
    normalisation: Literal["imagenet", "half"] | None = Field(
        None,
        description="what pixels are normalised by: ImageNet's mean and deviation, or 0.5 and 0.5; null: half for "
        "L-384, else imagenet",
    )
    drop_path: float = Field(
        0.0, ge=0, lt=1, description="share of residual branches left out of a step, at most"
    )

    def untrained(self) -> Self:
        """The same network with nothing read."""
        return self.model_copy(update={"pretrained": False, "weights": None})

    def origins(self) -> tuple[Origin, ...]:
        """The authors' repository, or the local file of its weights."""
        if not self.pretrained:
            return ()
        return (Origin(f"MegaDescriptor-{self.variant}", LICENCE, CITE),)

    def build(self) -> Features:
        """(N, 3, size, size) to (N, width): 768, 768, 1024, 1536 and 1536 wide."""
        import timm

        from wildreid_plugins.backbones.networks import build_network
        from wildreid_plugins.backbones.repository import HUB, Repository
        from wildreid_plugins.backbones.stages import as_features
        from wildreid_plugins.backbones.weights import read_weights

        architecture, size = NETWORKS[self.variant]
        mean, std = NUMBERS[self.normalisation or ("half" if self.variant == "L-384" else "imagenet")]
        settings: dict[str, Any] = {"num_classes": 0, "drop_path_rate": self.drop_path}
        if self.pretrained:
            file = self.weights or Repository(f"{HUB}BVRA/MegaDescriptor-{self.variant}").weights()
            config = {"input_size": (3, size, size), "fixed_input_size": True}
            state = read_weights(file)
            model = build_network(architecture, state, where=str(file), config=config, settings=settings)
        else:
            model = timm.create_model(architecture, **settings)
        return as_features(model, size=size, mean=mean, std=std, fixed=True)
