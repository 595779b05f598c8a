"""The order of the stages: table, groups, split, train, embed, rank, metrics, report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wildreid.artefacts import Results
from wildreid.data.audit import audit
from wildreid.data.fingerprints import fingerprint
from wildreid.data.groups import annotate
from wildreid.data.places import cache_folder
from wildreid.data.splits import split
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.errors import Interrupted, UserError
from wildreid.evaluation.score import validator
from wildreid.kinds import Log
from wildreid.pipeline.folder import (
    RunFolder,
    choose_folder,
    load_results,
    read_history,
    write_json,
    write_recipe,
)
from wildreid.pipeline.provenance import hash_of, hash_of_file, hash_of_rows, provenance
from wildreid.pipeline.scoring import measure
from wildreid.pipeline.tracking import Begun, Tracking
from wildreid.progress import console
from wildreid.projection.projector import Projector
from wildreid.recipe import Loaded, Recipe, load_recipe, revised
from wildreid.training.device import pick_device
from wildreid.training.embed import embed
from wildreid.training.embedder import build_embedder, load_embedder
from wildreid.training.features import Features, open_features, rests
from wildreid.training.loop import train, validation_rows
from wildreid.training.world import ALONE, World, together

MOST_FAILURES = 0.1
"""The share of images that may fail to be read before a run stops."""


def run(
    recipe: str | Path | Loaded,
    *,
    profiles: Sequence[str] = (),
    settings: Mapping[str, Any] | Sequence[str] = (),
    out: str | Path = "runs",
    name: str | None = None,
    device: str | None = None,
) -> Results:
    """Run a recipe from photos to a report, and return what came out.

    Args:
        recipe: a YAML file, or what `load_recipe` gave.
        profiles: names of profiles in the file, laid over it from left to right.
        settings: single keys, such as ``{"loss.margin": 0.3}``.
        out: the folder of run folders.
        name: of the run and its folder; the recipe's own if None. A run of that name with another recipe is
            refused; without a name a number is added.
        device: ``cpu``, ``cuda``, ``cuda:1`` …; the recipe's own if None.

    Raises:
        UserError: whatever the user can mend, from a misspelt key to a folder that is not there.
    """
    loaded = (
        recipe if isinstance(recipe, Loaded) else load_recipe(recipe, profiles=profiles, settings=settings)
    )
    loaded = _with(loaded, device=device, name=name)
    folder = choose_folder(loaded.recipe, Path(out), named=name is not None)
    return _run(loaded, folder, resume=False)


def resume(path: str | Path, *, device: str | None = None) -> Results:
    """Go on with a run that was stopped; what is done is not done again."""
    folder = RunFolder(Path(path))
    return _run(_with(folder.load_recipe(), device=device), folder, resume=True)


def train_only(loaded: Loaded, path: Path, *, logs: Sequence[Log] = ()) -> tuple[dict[str, Any], ...]:
    """Read, split and train, and go no further: nothing of the test part is embedded, ranked or scored.

    A folder in which this recipe was begun goes on from its last checkpoint.

    Args:
        loaded: the recipe.
        path: the run's folder.
        logs: are told of each epoch, beside the recipe's trackers.

    Returns:
        One mapping an epoch, as in ``history.jsonl``.
    """
    folder, recipe = RunFolder(path), loaded.recipe
    device = str(pick_device(recipe.device))
    begun = _begin(loaded, folder, device=device, say=lambda text: None)
    with Tracking(recipe.trackers, begun.told, logs) as tracking:
        _train(recipe, begun, folder, device=device, resume=False, say=lambda text: None, logs=[tracking])
    return read_history(folder.history)


def evaluate(
    path: str | Path, *, settings: Mapping[str, Any] | Sequence[str] = (), device: str | None = None
) -> Results:
    """Rank, score and report a trained run again, with other ``evaluation``, ``metrics`` or ``reporters``.

    Raises:
        UserError: a setting that would need another split or another training.
    """
    folder = RunFolder(Path(path))
    before, after = folder.load_recipe(), folder.load_recipe(settings)
    if _training_part(before.recipe) != _training_part(after.recipe):
        raise UserError(
            "these settings change the data or the training, not only the evaluation",
            where="--set",
            cure="start a new run with them: reid run … --set …",
        )
    if not folder.model.is_file():
        raise UserError(f"{path} is not trained yet", cure=f"finish it with: reid run --resume {path}")
    return _run(_with(after, device=device), folder, resume=True)


def check_build(loaded: Loaded) -> None:
    """Build everything that a recipe names, to find what only building can tell; reads no data.

    Raises:
        UserError: such as a model that timm does not have, or weights that are not there.
    """
    recipe = loaded.recipe
    embedder = build_embedder(recipe)
    objective = recipe.loss.build(width=embedder.width, classes=2)
    recipe.miner.build()
    for transform in recipe.transforms:
        transform.build(size=recipe.images.size)
    groups = {"head": [p for p in embedder.parameters() if p.requires_grad]}
    if isinstance(objective, torch.nn.Module) and (own := list(objective.parameters())):
        groups["loss"] = own
    if any(groups.values()):
        optimizer = recipe.optimizer.build(groups=groups)
        recipe.scheduler.build(optimizer=optimizer, steps=10)


def _run(loaded: Loaded, folder: RunFolder, *, resume: bool) -> Results:
    recipe = loaded.recipe
    say = partial(console().print, soft_wrap=True)
    place = pick_device(recipe.device)
    device = str(place)
    with _resumable(folder), together(place) as world:
        folder = RunFolder(world.tell(lambda: folder.path))  # the others may see a folder that the first made
        for note in loaded.notes:
            say(f"[bold yellow]! {note}[/]")
        folder.path.mkdir(parents=True, exist_ok=True)
        several = f", {world.size} processes" if world.size > 1 else ""
        say(f"run     [bold]{folder.path}[/] on {device}{several}")

        begun = _begin(loaded, folder, device=device, say=say, world=world)
        table, images = begun.table, begun.images
        trackers = recipe.trackers if world.first else ()
        with Tracking(trackers, begun.told) as tracking, ExitStack() as stack:
            projector = _projector(recipe, table, folder, tracking) if world.first else None
            if projector is not None:
                stack.enter_context(projector)
            _train(
                recipe, begun, folder,
                device=device, resume=resume, say=say, logs=[tracking], picture=projector, world=world,
            )  # fmt: skip
            weights = hash_of_file(folder.model)
            _embed(loaded, table, images, folder, weights, device=device, say=say, world=world)
            if world.first:
                measure(loaded, table, images, folder, weights, device=device, leaks=begun.leaks)
                say("scores  " + ", ".join(recipe.evaluation.protocols))
            if projector is not None:
                projector.finish()
            world.wait()
            results = load_results(folder.path)
            if world.first:
                folder.report.mkdir(exist_ok=True)
                written = [one.write(results=results, folder=folder.report) for one in recipe.reporters]
                tracking.report(results, [path for paths in written for path in paths])
            world.wait()
    return results


@contextmanager
def _resumable(folder: RunFolder) -> Iterator[None]:
    """Say how to go on after a Ctrl-C before or after training, where nothing is half done that matters."""
    try:
        yield
    except KeyboardInterrupt:
        if not folder.recipe.is_file():
            raise
        raise Interrupted(
            "stopped; what is finished is kept",
            where=str(folder.path),
            cure=f"go on with: reid run --resume {folder.path}",
        ) from None


@dataclass(frozen=True)
class _Ready:
    """What training begins with.

    Attributes:
        table: the split table.
        images: its pixels.
        leaks: whether the split leaks.
        told: what trackers may know.
    """

    table: Table
    images: ImageStore
    leaks: bool
    told: Begun


def _begin(loaded: Loaded, folder: RunFolder, *, device: str, say: Any, world: World = ALONE) -> _Ready:
    """From the data set to the split, written down with where it all came from."""
    recipe = loaded.recipe
    folder.path.mkdir(parents=True, exist_ok=True)
    if world.first:
        table, images = _read(recipe, folder, say)
        split_table, leaks = _split(recipe, table, folder, say)
        hashes = {
            "inputs": hash_of(_training_part(recipe), hash_of_rows(split_table.rows)),
            "table": hash_of_rows(table.rows),
        }
        whence = provenance(loaded, device=device, processes=world.size, root=table.root, hashes=hashes)
        write_json(folder.provenance, whence)
        world.tell(lambda: (hashes, leaks))
    else:  # what the first has read and split is in the folder
        hashes, leaks = world.tell(lambda: ({}, False))
        split_table, images = _read_again(recipe, folder)
    told = Begun(folder.path, recipe.name, recipe.model_dump(mode="json"), hashes)
    return _Ready(split_table, images, leaks, told)


def _read_again(recipe: Recipe, folder: RunFolder) -> tuple[Table, ImageStore]:
    """The table and pixels that another process of this run has read."""
    if not folder.split.is_file():
        raise UserError(
            f"this process sees no {folder.split}, which the first has written",
            where="--out",
            cure="put the runs on a file system that all machines of the run share",
        )
    table = folder.load_split()
    threads = max(1, recipe.training.workers)
    return table, open_images(table, recipe.images, cache=cache_folder(), threads=threads)


def _read(recipe: Recipe, folder: RunFolder, say: Any) -> tuple[Table, ImageStore]:
    """Data set to table and pixels: what cannot be read is reported and left out."""
    table = recipe.dataset.table()
    table = table.with_rows(table.rows.sort_values("id", kind="stable"))
    if table.individuals < 2:
        raise UserError(
            f"the data set has {table.individuals} identities in {len(table)} images; two are the least",
            where="dataset",
            cure="check the data set's root and columns",
        )
    write_recipe(folder.recipe, recipe)  # from here on the run can be resumed
    table = fingerprint(table, cache=cache_folder(), perceptual=recipe.encounters.near_duplicates)
    images = open_images(table, recipe.images, cache=cache_folder(), threads=max(1, recipe.training.workers))
    table = table.with_failures(images.failures)
    folder.write_failures(table.failures)
    if len(images.failures) > MOST_FAILURES * len(table):
        raise UserError(
            f"{len(images.failures)} of {len(table)} images cannot be read; {folder.failures} lists them",
            where="dataset",
            cure="mend or remove them, or check the root",
        )
    kept = np.flatnonzero(images.usable)
    table, images = table.with_rows(table.rows.iloc[kept]), images.select(kept)
    table = annotate(table, recipe.encounters)
    table.save(folder.table)
    left_out = f", {len(table.failures)} left out (failures.csv)" if table.failures else ""
    undated = int(table["timestamp"].isna().sum())
    say(
        f"table   {len(table)} images, {table.individuals} individuals, "
        f"{table['encounter'].nunique()} encounters, {undated} undated{left_out}"
    )
    return table, images


def _split(recipe: Recipe, table: Table, folder: RunFolder, say: Any) -> tuple[Table, bool]:
    seed = recipe.seed if recipe.split_seed is None else recipe.split_seed
    table = split(table, recipe.splitter, seed=seed)
    table.save(folder.split)
    found = audit(table)
    write_json(folder.audit, found.as_dict())
    counts = table["part"].value_counts()
    say("split   " + " · ".join(f"{counts.get(part, 0)} {part}" for part in ("train", "val", "test")))
    if found.leaks:
        say("[bold yellow]! this split leaks: every figure of this run flatters; see audit.json[/]")
    return table, found.leaks


def _train(
    recipe: Recipe,
    begun: _Ready,
    folder: RunFolder,
    *,
    device: str,
    resume: bool,
    say: Any,
    logs: Sequence[Log],
    picture: Projector | None = None,
    world: World = ALONE,
) -> None:
    """To the best weights; test is not looked at."""
    inputs = begun.told.hashes["inputs"]
    if world.tell(lambda: folder.done("train", inputs, folder.model)):
        say("train   unchanged")
        return
    resume = world.tell(lambda: folder.begun("train", inputs)) or resume
    settings = recipe.training
    train(
        recipe,
        begun.table,
        begun.images,
        folder.path,
        validate=validator(begun.table, protocol=settings.protocol, gallery=settings.gallery),
        device=device,
        logs=logs,
        picture=picture,
        resume=resume,
        world=world,
    )
    if world.first:
        folder.record("train", inputs)


def _projector(recipe: Recipe, table: Table, folder: RunFolder, tracking: Tracking) -> Projector | None:
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


def _embed(
    loaded: Loaded,
    table: Table,
    images: ImageStore,
    folder: RunFolder,
    weights: str,
    *,
    device: str,
    say: Any,
    world: World,
) -> None:
    key = hash_of(weights, hash_of_rows(table.rows[["id"]]))
    if world.tell(lambda: folder.done("embed", key, folder.embeddings)):
        say("embed   unchanged")
        return
    embedder = load_embedder(folder.path, loaded.registry)
    recipe, every = loaded.recipe, np.arange(len(images))
    seen: ImageStore | Features = images
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


def _with(loaded: Loaded, *, device: str | None = None, name: str | None = None) -> Loaded:
    recipe = loaded.recipe
    update: dict[str, Any] = {}
    if device is not None:
        update["device"] = device
    if name is not None:
        update["name"] = name
    elif recipe.stamp and not recipe.name.endswith(f"-{recipe.stamp}"):
        update["name"] = f"{recipe.name}-{recipe.stamp}"
    return revised(loaded, update)


def _training_part(recipe: Recipe) -> dict[str, Any]:
    """All of a recipe that decides the weights."""
    apart = {
        "name", "stamp", "about", "packs", "device", "private",
        "evaluation", "metrics", "trackers", "reporters",
    }  # fmt: skip
    decides = recipe.model_dump(mode="json", exclude=apart)
    del decides["training"]["umap_every"]
    return decides
