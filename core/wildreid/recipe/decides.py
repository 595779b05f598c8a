"""What of a recipe decides what: which rows, which weights, which figures, and what decides nothing.

This is the one list of it. Whether a run may go on, whether a checkpoint fits, whether a run may be measured
again, and whether workers share one study, all follow from here. A key that is named nowhere below decides the
weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wildreid.recipe.model import Measurement

NOTHING = (
    "name", "stamp", "about", "packs", "private", "device", "trackers", "reporters",
    "images.cache", "images.cache_gib", "training.workers", "training.checkpoint_every", "training.umap_every",
)  # fmt: skip
"""How a run is named, shown and carried out; the same weights and figures come out."""

FIGURES = ("evaluation", "metrics", "matchers", "fusion", "reranker", "matching")
"""What is measured once the weights are there."""

ROWS = ("dataset", "encounters", "splitter", "apart", "split_seed", "images.max_pixels")
"""Which images are read, and in which part each is."""


def all_but(recipe: Measurement, *keys: Iterable[str], defaults: bool = True) -> dict[str, Any]:
    """A recipe as plain data, without the keys of these groups: ``all_but(recipe, NOTHING, FIGURES)``.

    Args:
        recipe: any.
        keys: groups of keys to leave out, as above.
        defaults: keep fields that are at their default. A hash of a recipe leaves them out, so that a field
            that a later version adds does not change it.
    """
    plain: dict[str, Any] = recipe.model_dump(mode="json", exclude_defaults=not defaults)
    for key in (key for group in keys for key in group):
        *parents, last = key.split(".")
        within = plain
        for parent in parents:
            within = within.get(parent, {})
        within.pop(last, None)
    return plain
