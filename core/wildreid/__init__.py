"""wildreid: which animal is this? Re-identify individuals in photos, for any species.

    >>> import wildreid
    >>> results = wildreid.run("species/bears/recipe.yaml", profiles=["smoke"])  # doctest: +SKIP

What stands in `__all__` is the library's stable surface; each name is loaded when it is first used, so that
``import wildreid`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wildreid.artefacts import Results
    from wildreid.data.audit import audit
    from wildreid.data.table import Table
    from wildreid.errors import UserError
    from wildreid.pipeline import evaluate, load_results, run
    from wildreid.recipe import Recipe, load_recipe
    from wildreid.registry import Registry

_HOMES = {
    "Recipe": "wildreid.recipe",
    "Registry": "wildreid.registry",
    "Results": "wildreid.artefacts",
    "Table": "wildreid.data.table",
    "UserError": "wildreid.errors",
    "audit": "wildreid.data.audit",
    "evaluate": "wildreid.pipeline",
    "load_recipe": "wildreid.recipe",
    "load_results": "wildreid.pipeline",
    "run": "wildreid.pipeline",
}

__all__ = [
    "Recipe",
    "Registry",
    "Results",
    "Table",
    "UserError",
    "audit",
    "evaluate",
    "load_recipe",
    "load_results",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'wildreid' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
