"""How long each named network takes to embed, on this machine's processor: ``python -m benchmarks.networks``.

Weights are drawn at random, for speed does not depend on them. Time is the processor time of one thread, which
other programs disturb less than the clock; two free cores need about half as long.
"""

from __future__ import annotations

import time
from typing import Any

import torch

from wildreid_plugins.backbones.concat import Concat
from wildreid_plugins.backbones.efficientnet_lite import EfficientNetLite
from wildreid_plugins.backbones.megadescriptor import MegaDescriptor
from wildreid_plugins.backbones.miewid import MiewId
from wildreid_plugins.backbones.timm import Timm

LITE = [EfficientNetLite(variant=variant, pretrained=False) for variant in (0, 1, 2)]
NETWORKS: dict[str, Any] = {
    "efficientnet-lite 0": LITE[0],
    "efficientnet-lite 1": LITE[1],
    "efficientnet-lite 2": LITE[2],
    "concat of lite 0 and 1": Concat(of=(LITE[0], LITE[1])),
    "timm resnet18": Timm(model="resnet18"),
    "timm resnet50": Timm(model="resnet50"),
    "timm convnext_tiny": Timm(model="convnext_tiny"),
    "timm vit_small_patch14_dinov2": Timm(model="vit_small_patch14_dinov2", size=224),
    "timm vit_base_patch14_dinov2": Timm(model="vit_base_patch14_dinov2", size=224),
    "megadescriptor T-224": MegaDescriptor(pretrained=False),
    "megadescriptor S-224": MegaDescriptor(variant="S-224", pretrained=False),
    "megadescriptor B-224": MegaDescriptor(variant="B-224", pretrained=False),
    "megadescriptor L-224": MegaDescriptor(variant="L-224", pretrained=False),
    "megadescriptor L-384": MegaDescriptor(variant="L-384", pretrained=False),
    "miewid": MiewId(pretrained=False),
}
BATCH, ENOUGH = 4, 8.0


def measured(option: Any) -> tuple[int, int, float, float]:
    """Width, pixels a side, millions of parameters, and processor seconds for 1,000 images."""
    network = option.build().eval()
    images = torch.rand(BATCH, 3, network.size, network.size).contiguous(memory_format=torch.channels_last)
    network = network.to(memory_format=torch.channels_last)
    parameters = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    with torch.inference_mode():
        network(images[:1])
        began, times = time.process_time(), 0
        while times < 2 or time.process_time() - began < ENOUGH:
            network(images)
            times += 1
        taken = time.process_time() - began
    return network.width, network.size, parameters, 1000 * taken / (times * BATCH)


def main() -> None:
    """Print a row a network, as Markdown."""
    torch.set_num_threads(1)
    print("| network | width | input | parameters | seconds |\n|---|---|---|---|---|")
    for name, option in NETWORKS.items():
        width, size, parameters, seconds = measured(option)
        print(f"| {name} | {width} | {size} | {parameters:.0f} M | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
