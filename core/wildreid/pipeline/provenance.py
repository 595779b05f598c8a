"""Where a figure came from: versions, plugins, machine, and hashes of what went in."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.commit import commit
from wildreid.recipe import Loaded, Measurement

LIBRARIES = (
    "wildreid", "torch", "torchvision", "timm", "pytorch-metric-learning", "kornia", "numpy", "pandas",
    "faiss-cpu", "umap-learn", "scikit-learn", "pydantic",
)  # fmt: skip


def provenance(
    loaded: Loaded[Measurement] | Loaded,
    *,
    device: str,
    root: Path,
    hashes: dict[str, str],
    processes: int = 1,
) -> dict[str, Any]:
    """What ``run.json`` holds: all that a reader needs to judge, and an author to repeat, a run."""
    recipe = loaded.recipe
    return {
        "name": recipe.name,
        "stamp": recipe.stamp,
        "seed": recipe.seed,
        "recipe_file": str(loaded.path) if loaded.path else None,
        "root": str(root),
        "notes": list(loaded.notes),
        "hashes": hashes,
        "commit": commit(),
        "versions": {"python": platform.python_version(), **versions()},
        "plugins": [vars(source) for source in loaded.registry.sources],
        "machine": {**machine(device), "processes": processes},
    }


def versions() -> dict[str, str]:
    """The installed version of each library that a figure may depend on."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def machine(device: str) -> dict[str, Any]:
    """The processor, the device and the threads that a run used."""
    import torch  # it takes seconds, and hashes need none

    gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else None
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device,
        "gpu": gpu,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def hash_of(*values: Any) -> str:
    """A short hash of plain data, the same on every machine."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def hash_of_rows(rows: pd.DataFrame) -> str:
    """A short hash of a frame's content, its order included."""
    digest = hashlib.blake2b(digest_size=12)
    digest.update("\0".join(map(str, rows.columns)).encode())
    digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return digest.hexdigest()
