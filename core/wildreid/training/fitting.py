"""Heads that are fitted on the training photos, not trained: once, when the weights are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.nn import functional as F

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Features, is_fitted
from wildreid.places import cache_folder
from wildreid.progress import say
from wildreid.recipe.model import Recipe
from wildreid.training.embed import embed
from wildreid.training.embedder import WEIGHTS, Embedder, load_weights, save_embedder
from wildreid.training.features import CachedFeatures, open_features, rests
from wildreid.training.rows import training_rows, validation_rows
from wildreid.training.world import World

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.data.pixels import ImageRows


def fitted(
    embedder: Embedder,
    seen: ImageRows | CachedFeatures,
    recipe: Recipe,
    table: Table,
    folder: Path,
    *,
    validate: Callable[[Floats], Mapping[str, float]] | None,
    device: str,
    world: World,
) -> None:
    """Fit the head of an embedder that has its best weights, where it is one that is fitted, and save it.

    Nothing of the test part is embedded; what is chosen is chosen on val, by the figure that training watches.

    Args:
        embedder: only buffers of its head change.
        seen: the images of the table's rows, or what the frozen backbone made of them.
        recipe: says what is watched.
        table: the split table.
        folder: the run's.
        validate: as for `train`.
        device: to embed on.
        world: the first process fits, the others take what it wrote.

    Raises:
        UserError: too few photos to fit on.
    """
    if not is_fitted(embedder.head):
        return
    if world.first:
        if rests(recipe) and not isinstance(seen, CachedFeatures):
            wanted = np.union1d(training_rows(table)[0], validation_rows(table, recipe.training.gallery))
            seen = open_features(
                embedder, seen, recipe, rows=wanted, learned=wanted[:0], device=device, cache=cache_folder()
            )
        heads: list[Any] = [embedder.head]
        while is_fitted(before := heads[-1].before):
            heads.append(before)
        for head in reversed(heads):  # what comes first is fitted first
            chosen = _fit(embedder, head, seen, recipe, table, validate=validate, device=device)
            say(f"fitted  {recipe.head.name}: {chosen}")
        save_embedder(embedder, folder, recipe)
    world.wait()
    if not world.first:
        load_weights(embedder, folder / WEIGHTS)


def _fit(
    embedder: Embedder,
    head: Any,
    seen: ImageRows | CachedFeatures,
    recipe: Recipe,
    table: Table,
    *,
    validate: Callable[[Floats], Mapping[str, float]] | None,
    device: str,
) -> str:
    """Fill the buffers of the embedder's head, or of one before it; returns what was chosen, in words."""
    settings = recipe.training
    rows, labels = training_rows(table)
    held_out = validation_rows(table, settings.gallery)
    wanted = np.union1d(rows, held_out)
    backbone = cast("Features", embedder.backbone)
    before = Embedder(backbone, head.before, size=embedder.size, views=embedder.views)
    before.lay_out(channels_last=embedder.layout == torch.channels_last)
    vectors = embed(
        before,
        seen,
        wanted,
        device=device,
        precision=settings.precision,
        batch=settings.batch,
        what="fitting",
    )
    place = next(embedder.head.buffers()).device
    of_train, of_val = (
        torch.from_numpy(vectors[np.searchsorted(wanted, some)]).to(place) for some in (rows, held_out)
    )

    def judge() -> float:
        assert validate is not None
        figures = validate(F.normalize(head.after(of_val)).cpu().numpy())
        if settings.watch not in figures:
            raise UserError(
                f"validation gives no '{settings.watch}', by which to choose; it gives {', '.join(figures)}",
                where="training.watch",
                cure="watch one of those",
            )
        return figures[settings.watch]

    may_choose = validate is not None and len(held_out) > 0
    with torch.no_grad():
        told: str = head.fit(of_train, torch.from_numpy(labels).to(place), judge if may_choose else None)
    return told
