"""The order of the stages, and the folder they leave their artefacts in.

Each name is loaded when it is first used: reading photos needs no stage.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wildreid.pipeline.embedded import evaluate_embeddings
    from wildreid.pipeline.folder import RunFolder
    from wildreid.pipeline.results import load_results
    from wildreid.pipeline.stages import check_build, evaluate, resume, run

__all__ = ["RunFolder", "check_build", "evaluate", "evaluate_embeddings", "load_results", "resume", "run"]

_HOMES = {
    "RunFolder": "folder",
    "check_build": "stages",
    "evaluate": "stages",
    "evaluate_embeddings": "embedded",
    "load_results": "results",
    "resume": "stages",
    "run": "stages",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
