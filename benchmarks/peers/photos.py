"""What the peers' scripts have in common: the network, the transform and the files, from plain arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def listed(folder: str) -> tuple[list[str], list[int]]:
    """Absolute paths and labels, in order, of the photos that ``photos.json`` in this folder lists."""
    rows = json.loads((Path(folder) / "photos.json").read_text(encoding="utf-8"))
    return [str(Path(folder) / row["image"]) for row in rows], [row["label"] for row in rows]


def network(model: str, weights: str) -> Any:
    """The timm network without a classifier, with weights from a torch state dict."""
    import timm
    import torch

    made = timm.create_model(model, num_classes=0)
    made.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return made


def read_all(photos: Any, batch: int, workers: int) -> None:
    """Take all photos of a torch data set once through torch's loader."""
    import torch

    for _ in torch.utils.data.DataLoader(photos, num_workers=workers, batch_size=batch, shuffle=False):
        pass


def transform(model: Any, size: int) -> Any:
    """Squashed to a square by Pillow, then as the network's authors normalise."""
    from torchvision import transforms

    config = model.pretrained_cfg
    return transforms.Compose(
        [
            transforms.Resize((size, size)),
            transforms.ToTensor(),
            transforms.Normalize(config["mean"], config["std"]),
        ]
    )
