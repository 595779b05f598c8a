"""The check of a recipe without a run: it loads, all in it builds, and its data split without leaking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wildreid.data.groups import annotate
from wildreid.data.splits import split
from wildreid.data.table import Table
from wildreid.pipeline import check_build
from wildreid.recipe import load_recipe


def check_recipe(
    path: str | Path, *, profiles: Sequence[str] = (), settings: Mapping[str, Any] | Sequence[str] = ()
) -> Table:
    """Load a recipe, build all it names, read its table and split it; no pixel is read, nothing is trained.

    Returns:
        The split table: each row with its group, encounter, part and role.

    Raises:
        UserError: whatever is wrong, as `reid run` would say it.
    """
    loaded = load_recipe(path, profiles=profiles, settings=settings)
    check_build(loaded)
    recipe = loaded.recipe
    return split(annotate(recipe.dataset.table(), recipe.encounters), recipe.splitter, seed=recipe.seed)
