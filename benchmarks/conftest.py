"""Options, machine and fixtures of the benchmarks; README.md says how to write one."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from benchmarks.record import Record

from wildreid.pipeline.provenance import machine, versions
from wildreid.training.device import pick_precision

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROOTS = {
    "cows": "WILDREID_COWS",
    "bearid": "WILDREID_BEARID",
    "brown-bear-heads": "WILDREID_HEADS",
}
"""Real data that benchmarks may use: the option's name, and the environment variable that stands in for it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wildreid's benchmarks")
    group.addoption("--quick", action="store_true", help="small sizes only: five minutes on two cores")
    group.addoption("--large", action="store_true", help="ConvNeXt-large and bf16 without a GPU too")
    for name, variable in ROOTS.items():
        group.addoption(
            f"--{name}", metavar="FOLDER", default=os.environ.get(variable), help=f"or ${variable}"
        )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: too long for --quick")
    config.addinivalue_line("markers", "large: on a GPU, or with --large")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = ["full", "stress"] if config.getoption("--quick") else []
    left_out += [] if DEVICE == "cuda" or config.getoption("--large") else ["large"]
    dropped = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    """What the figures depend on; the machine's name on the network is nobody's business."""
    half = pick_precision("auto", torch.device(DEVICE))
    return {
        **machine(DEVICE),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "precision": str(half or torch.float32).removeprefix("torch."),
        "quick": bool(config.getoption("--quick")),
        "python": ".".join(map(str, __import__("sys").version_info[:3])),
        "versions": versions(),
    }


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The user's cache is neither read nor filled, and plugins installed beside ours play no part."""
    os.environ["WILDREID_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["WILDREID_PLUGINS"] = "builtin"


@pytest.fixture(scope="session")
def device() -> str:
    return DEVICE


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--quick"))


@pytest.fixture(scope="session")
def roots(request: pytest.FixtureRequest) -> dict[str, Path | None]:
    """The folders of real data that were given, by the names in `ROOTS`."""
    given = {name: request.config.getoption(f"--{name}") for name in ROOTS}
    return {name: Path(value) if value and Path(value).is_dir() else None for name, value in given.items()}


@pytest.fixture
def record(benchmark: Any, request: pytest.FixtureRequest) -> Record:
    """Times sides in turns and leaves rows for the page, with the docstrings that say how it was measured."""
    module = request.module
    benchmark.extra_info["section"] = {
        "name": module.__name__.rpartition(".")[2].removeprefix("test_"),
        "words": inspect.getdoc(module) or "",
    }
    return Record(benchmark, " ".join((inspect.getdoc(request.function) or "").split()), DEVICE)
