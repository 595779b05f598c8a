"""The stage of matchers and re-rankers in a run: opened where a recipe names any, else nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wildreid.files import write_json
from wildreid.progress import say

if TYPE_CHECKING:
    from wildreid.data.store import ImageStore
    from wildreid.data.table import Table
    from wildreid.matching.stage import Stage
    from wildreid.pipeline.folder import RunFolder
    from wildreid.recipe import Recipe


@contextmanager
def matching_stage(
    recipe: Recipe, table: Table, images: ImageStore, folder: RunFolder, *, device: str
) -> Iterator[Stage | None]:
    """The stage, open; None where the recipe has neither matchers nor a re-ranker.

    When it is closed, ``lines.json`` holds pairs of photos with their matched points, where there are matchers.

    Raises:
        UserError: a matcher lacks something, such as its weights.
    """
    folder.lines.unlink(missing_ok=True)  # of an earlier measurement
    if not recipe.matchers and recipe.reranker is None:
        yield None
        return
    from wildreid.matching.stage import Stage
    from wildreid.places import cache_folder

    embeddings = folder.load_embeddings(table)
    with Stage(recipe, table, images, embeddings, device=device, cache=cache_folder()) as stage:
        for name, points in stage.points.items():
            without = f", {points['without']} without a point" if points["without"] else ""
            say(f"points  {points['images']} photos by {name}{without}")
        yield stage
        if stage.first is not None and stage.scores:
            write_json(folder.lines, {"format": 1, "pairs": stage.shown(stage.first)})
    for one in stage.scores:
        if one.matched:
            took = f"{one.seconds:.1f} s, {1000 * one.seconds / one.matched:.2f} ms a pair"
            say(f"matched {one.matched} pairs by {one.local.option.name} in {took}")
