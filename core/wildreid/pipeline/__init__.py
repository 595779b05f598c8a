"""The order of the stages, and the folder they leave their artefacts in.

Each name is loaded when it is first used: reading photos needs no stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wildreid.lazily import loaded_from

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

__getattr__ = loaded_from(__name__, {name: f"{__name__}.{home}" for name, home in _HOMES.items()})
