"""The stage of matchers and re-rankers in a run: opened where a recipe names any, else nothing is loaded.

And what is shown of pairs of photos afterwards: matched points where there are matchers, else heat maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError
from wildreid.files import write_json
from wildreid.progress import say

if TYPE_CHECKING:
    from wildreid.data.store import ImageStore
    from wildreid.data.table import Table
    from wildreid.matching.stage import Stage
    from wildreid.pipeline.folder import RunFolder
    from wildreid.recipe import Loaded


@contextmanager
def matching_stage(
    loaded: Loaded, table: Table, images: ImageStore, folder: RunFolder, *, device: str
) -> Iterator[Stage | None]:
    """The stage, open; None where the recipe has neither matchers nor a re-ranker.

    When it is closed, ``lines.json`` holds pairs of photos with their matched points; without matchers, with what
    made their embeddings alike, or why the network cannot say it.

    Raises:
        UserError: a matcher lacks something, such as its weights.
    """
    recipe = loaded.recipe
    folder.lines.unlink(missing_ok=True)  # of an earlier measurement
    if not recipe.matchers and recipe.reranker is None:
        yield None
        write_json(folder.lines, _heat(loaded, table, images, folder, device))
        return
    from wildreid.matching.stage import Stage
    from wildreid.places import cache_folder

    embeddings = folder.load_embeddings(table)
    with Stage(recipe, table, images, embeddings, device=device, cache=cache_folder()) as stage:
        for name, points in stage.points.items():
            without = f", {points['without']} without a point" if points["without"] else ""
            say(f"points  {points['images']} photos by {name}{without}")
        yield stage
        if not recipe.matchers:
            write_json(folder.lines, _heat(loaded, table, images, folder, device))
        elif stage.first is not None:
            write_json(folder.lines, {"format": 1, "pairs": stage.shown(stage.first)})
    for one in stage.scores:
        if one.matched:
            took = f"{one.seconds:.1f} s, {1000 * one.seconds / one.matched:.2f} ms a pair"
            say(f"matched {one.matched} pairs by {one.local.option.name} in {took}")


def _heat(loaded: Loaded, table: Table, images: ImageStore, folder: RunFolder, device: str) -> dict[str, Any]:
    """Pairs of the first ranking that was made, with their heat maps, or the reason why there are none."""
    from wildreid.evaluation.protocols import usable
    from wildreid.evaluation.rank import load_ranking
    from wildreid.matching.shown import shown_heat
    from wildreid.training.embedder import load_embedder

    protocols = loaded.recipe.evaluation.protocols
    ranked = [name for name in protocols if usable(table, name) is None]
    if not ranked:
        return {"format": 1, "pairs": []}
    ranking = load_ranking(folder.ranking(ranked[0], protocols[0]), rows=len(table))
    embedder = load_embedder(folder.path, loaded.registry)
    private = loaded.recipe.private
    try:
        pairs = shown_heat(ranking, table, images, embedder, device=device, private=private)
    except UserError as error:
        return {"format": 1, "pairs": [], "reason": error.what}
    return {"format": 1, "pairs": pairs}
