"""Whether every way to a backbone works on this device: a forward and a backward step of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from benchmarks.kept import Kept
from benchmarks.loops import DEVICE
from benchmarks.record import Record

from wildreid.registry import Registry
from wildreid.training.device import pick_precision

NETWORKS: list[tuple[str, dict[str, Any]]] = [
    *((f"timm {model}", {"name": "timm", "model": model}) for model in ("resnet18", "resnet50")),
    *((f"timm {model}", {"name": "timm", "model": model}) for model in ("convnext_tiny", "convnext_large")),
    ("timm resnet18, generalised mean", {"name": "timm", "model": "resnet18", "pool": "gem"}),
    ("timm vit_small, built for 224", {"name": "timm", "model": "vit_small_patch14_dinov2", "size": 224}),
    ("timm resnet18, checkpointing", {"name": "timm", "model": "resnet18", "checkpointing": True}),
    ("efficientnet-lite", {"name": "efficientnet-lite", "pretrained": False}),
    ("megadescriptor T-224", {"name": "megadescriptor", "pretrained": False}),
    ("miewid", {"name": "miewid", "pretrained": False}),
    (
        "concat of efficientnet-lite and resnet18",
        {"name": "concat", "of": [{"name": "efficientnet-lite", "pretrained": False}, "timm"]},
    ),
    ("timm, of a repository on this disk", {"name": "timm", "model": "local-dir:", "pretrained": True}),
]
"""Every way to a backbone that the plugins have."""
FIXED = ("vit", "megadescriptor")
"""Words in the names of those that take images of one size alone."""


def smoke(kept: Kept, folder: Path, *, pixels: int | None) -> None:
    """A forward and a backward step of each network."""
    about = """Two drawn images of the network's own size forward and backward on the device, as half precision
    is picked there; the features must be finite and of the width that the network says."""
    for name, fields in NETWORKS:
        work = partial(_smoke, name=name, fields=fields, folder=folder, pixels=pixels)
        kept.row(f"smoke[{name}]", about, work, "Smoke test", {"backbone": name})


def _smoke(record: Record, name: str, fields: Mapping[str, Any], folder: Path, pixels: int | None) -> None:
    import timm

    given = dict(fields)
    if given.get("model") == "local-dir:":
        own = folder / "repository"
        timm.models.save_for_hf(
            timm.create_model("test_convnext", num_classes=0), str(own), safe_serialization=True
        )
        given["model"] = f"local-dir:{own}"
    option: Any = (
        Registry()
        .choose("backbone", given.pop("name"))
        .model_validate(given, context={"registry": Registry()})
    )
    began = time.perf_counter()
    network = option.build().to(DEVICE).train()
    if pixels is None or any(word in name for word in FIXED):
        pixels = int(network.size)
    images = torch.rand(2, 3, pixels, pixels, device=DEVICE)
    half = pick_precision("auto", torch.device(DEVICE))
    with torch.autocast(DEVICE, half, enabled=half is not None):
        found = network(images)
    found.float().square().mean().backward()
    good = found.shape == (2, network.width) and bool(torch.isfinite(found).all())
    if not good:
        raise ValueError(
            f"features of shape {tuple(found.shape)}, finite: {bool(torch.isfinite(found).all())}"
        )
    millions = sum(one.numel() for one in network.parameters()) / 1e6
    record.row(
        "Smoke test", {"backbone": name},
        figures={"good": good, "pixels": pixels, "width": network.width, "parameters, M": millions,
                 "seconds": time.perf_counter() - began},
    )  # fmt: skip
