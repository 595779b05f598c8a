"""From the split table to the best weights, and with them to the embeddings of all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from wildreid.data.store import ImageStore
from wildreid.data.table import Table
from wildreid.evaluation.score import validator
from wildreid.kinds import Log
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.prepare import Ready
from wildreid.pipeline.provenance import hash_of, hash_of_rows
from wildreid.pipeline.tracking import Tracking
from wildreid.places import cache_folder
from wildreid.projection.projector import Projector
from wildreid.recipe import Loaded, Recipe
from wildreid.training.embed import embed
from wildreid.training.embedder import load_embedder
from wildreid.training.features import CachedFeatures, open_features, rests
from wildreid.training.loop import train
from wildreid.training.rows import validation_rows
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats
    from wildreid.registry import Registry


def fit(
    recipe: Recipe,
    ready: Ready,
    folder: RunFolder,
    *,
    device: str,
    resume: bool,
    say: Callable[[str], None],
    logs: Sequence[Log],
    picture: Projector | None = None,
    world: World = ALONE,
) -> None:
    """To the best weights; test is not looked at."""
    inputs = ready.run.hashes["inputs"]
    if world.tell(lambda: folder.done("train", inputs, folder.model)):
        say("train   unchanged")
        return
    resume = world.tell(lambda: folder.begun("train", inputs)) or resume
    settings, validate = recipe.training, None
    if settings.epochs or recipe.head.chooses:  # else nothing is chosen
        validate = validator(
            ready.table, protocol=settings.protocol, gallery=settings.gallery, watch=settings.watch
        )
    train(
        recipe,
        ready.table,
        ready.images,
        folder.path,
        validate=validate,
        device=device,
        logs=logs,
        picture=picture,
        resume=resume,
        world=world,
    )
    if world.first:
        folder.record("train", inputs)


def projector_of(recipe: Recipe, table: Table, folder: RunFolder, tracking: Tracking) -> Projector | None:
    """What draws the validation photos as training goes, where the recipe wants it."""
    settings = recipe.training
    if settings.umap_every is None or settings.epochs == 0:
        return None
    shown = table.rows.iloc[validation_rows(table, settings.gallery)]
    return Projector(
        folder.path,
        ids=shown["id"].to_numpy(str),
        identity=shown["identity"].fillna("").to_numpy(str),
        shown=shown["part"].eq("val").to_numpy(bool),
        every=settings.umap_every,
        seed=recipe.seed,
        tell=lambda epoch, path: tracking.log(epoch, {}, {"umap": path}),
    )


def embed_all(
    loaded: Loaded,
    table: Table,
    images: ImageStore,
    folder: RunFolder,
    weights: str,
    *,
    device: str,
    say: Callable[[str], None],
    world: World,
) -> None:
    """Write the embeddings of every row by the best weights, and beside them the ids."""
    key = hash_of(weights, hash_of_rows(table.rows[["id"]]))
    if world.tell(lambda: folder.done("embed", key, folder.embeddings)):
        say("embed   unchanged")
        return
    embedder = load_embedder(folder.path, loaded.registry)
    recipe, every = loaded.recipe, np.arange(len(images))
    seen: ImageStore | CachedFeatures = images
    if rests(recipe):
        seen = open_features(
            embedder, images, recipe, rows=every, learned=every[:0], device=device, cache=cache_folder(),
            world=world,
        )  # fmt: skip
    precision = recipe.training.precision
    embed(embedder, seen, device=device, precision=precision, out=folder.embeddings, world=world)
    if world.first:
        folder.ids.write_text("".join(f"{name}\n" for name in table["id"]), encoding="utf-8")
        folder.record("embed", key)


def seeing(folder: RunFolder, registry: Registry, device: str) -> Callable[[NDArray[np.uint8]], Floats]:
    """A function from (N, size, size, 3) uint8 to (N, width) embeddings by the run's model."""
    embedder = load_embedder(folder.path, registry).to(device)

    def see(pixels: NDArray[np.uint8]) -> Floats:
        with torch.inference_mode():
            found: Floats = embedder(torch.from_numpy(pixels).to(device)).cpu().numpy()
        return found

    return see
