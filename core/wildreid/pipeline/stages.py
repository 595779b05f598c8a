"""The order of the stages: table, groups, split, train, embed, rank, metrics, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from wildreid.artefacts import Results
from wildreid.errors import Interrupted, UserError
from wildreid.files import hash_of_file, sweep
from wildreid.kinds import Log
from wildreid.pipeline.embedded import measure_again
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.learn import embed_all, fit, projector_of
from wildreid.pipeline.matched import matching_stage
from wildreid.pipeline.prepare import begin
from wildreid.pipeline.results import load_results, read_history
from wildreid.pipeline.scoring import looker, measure
from wildreid.pipeline.tracking import Tracking
from wildreid.progress import note, say
from wildreid.recipe import Loaded, Recipe, load_recipe, revised
from wildreid.recipe.decides import FIGURES, NOTHING, all_but
from wildreid.training.device import pick_device
from wildreid.training.embedder import build_embedder
from wildreid.training.learner import build_learner
from wildreid.training.world import together


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
        UserError: whatever the user can correct, from a misspelt key to a folder that is not there.
    """
    loaded = (
        recipe if isinstance(recipe, Loaded) else load_recipe(recipe, profiles=profiles, settings=settings)
    )
    loaded = _with(loaded, device=device, name=name)
    folder = _choose_folder(loaded.recipe, Path(out), named=name is not None)
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
        logs: get each epoch's numbers, beside the recipe's trackers.

    Returns:
        One mapping an epoch, as in ``history.jsonl``.
    """
    folder, recipe = RunFolder(path), loaded.recipe
    device = str(pick_device(recipe.device))
    ready = begin(loaded, folder, device=device, say=lambda text: None)
    with Tracking(recipe.trackers, ready.run, logs) as tracking:
        fit(recipe, ready, folder, device=device, resume=False, say=lambda text: None, logs=[tracking])
    return read_history(folder.history)


def evaluate(
    path: str | Path, *, settings: Mapping[str, Any] | Sequence[str] = (), device: str | None = None
) -> Results:
    """Rank, score and report a trained run again, with other ``evaluation``, ``metrics`` or ``reporters``.

    Raises:
        UserError: a setting that would need another split or another training.
    """
    folder = RunFolder(Path(path))
    if folder.of_embeddings:
        return measure_again(folder, settings)
    before, after = folder.load_recipe(), folder.load_recipe(settings)
    if all_but(before.recipe, NOTHING, FIGURES) != all_but(after.recipe, NOTHING, FIGURES):
        raise UserError(
            "these settings change the data or the training, not only the evaluation",
            where="`settings=…`",
            cure="start a new run with them: `wildreid.run(…)`",
        )
    if not folder.model.is_file():
        raise UserError(
            f"{path} is not trained yet", cure=f"finish it with `wildreid.pipeline.resume({str(path)!r})`"
        )
    return _run(_with(after, device=device), folder, resume=True)


def check_build(loaded: Loaded) -> list[str]:
    """Build everything that a recipe names, to find what only building can tell; reads no data.

    Returns:
        What matchers would cost here, a sentence each, from a trial of a second.

    Raises:
        UserError: such as a model that timm does not have, or weights that are not there.
    """
    embedder = build_embedder(loaded.recipe)
    if loaded.recipe.training.epochs or embedder.groups():  # a network taken as it comes need not learn
        build_learner(loaded.recipe, embedder, classes=2, steps=10)
    if not loaded.recipe.matchers:
        return []
    from wildreid.matching.trial import costs

    return costs(loaded.recipe, device=str(pick_device(loaded.recipe.device)))


def _run(loaded: Loaded, folder: RunFolder, *, resume: bool) -> Results:
    recipe, started = loaded.recipe, time.time()
    place = pick_device(recipe.device)
    device = str(place)
    with _resumable(folder), together(place) as world:
        folder = RunFolder(world.tell(lambda: folder.path))  # the others may see a folder that the first made
        for text in loaded.notes:
            note(text)
        folder.path.mkdir(parents=True, exist_ok=True)
        several = f", {world.size} processes" if world.size > 1 else ""
        say(f"run     {folder.path} on {device}{several}")

        for origin in recipe.backbone.origins():
            if origin.noncommercial:
                say(f"! first weights {origin}; this holds for the model that is made of them too")
            else:
                say(f"weights {origin}")
        ready = begin(loaded, folder, device=device, say=say, world=world)
        table, images = ready.table, ready.images
        trackers = recipe.trackers if world.first else ()
        with Tracking(trackers, ready.run) as tracking, ExitStack() as stack:
            projector = projector_of(recipe, table, folder, tracking) if world.first else None
            if projector is not None:
                stack.enter_context(projector)
            fit(
                recipe, ready, folder,
                device=device, resume=resume, say=say, logs=[tracking], picture=projector, world=world,
            )  # fmt: skip
            weights = hash_of_file(folder.model)
            embed_all(loaded, table, images, folder, weights, device=device, say=say, world=world)
            if world.first:
                look = looker(loaded, images, folder, weights, device=device)
                with matching_stage(loaded, table, images, folder, device=device) as stage:
                    measure(recipe, table, folder, weights, leaks=ready.leaks, look=look, stage=stage)
                say("scores  " + ", ".join(recipe.evaluation.protocols))
            if projector is not None:
                projector.finish()
            world.wait()
            results = load_results(folder.path)
            if world.first:
                folder.report.mkdir(exist_ok=True)
                written = [one.write(results=results, folder=folder.report) for one in recipe.reporters]
                tracking.report(results, [path for paths in written for path in paths])
                sweep(folder.path, before=started)
            world.wait()
    return results


def _choose_folder(recipe: Recipe, out: Path, *, named: bool) -> RunFolder:
    """The run's folder: the same recipe goes on where it was, another one gets another folder.

    Args:
        recipe: its name is the folder's.
        out: the folder of run folders.
        named: whether the user chose the name; then no number is added to it.

    Raises:
        UserError: the chosen name is another run's.
    """
    for number in range(1, 10_000):
        path = out / (recipe.name if number == 1 else f"{recipe.name}-{number}")
        folder = RunFolder(path)
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return folder
        with suppress(UserError):  # a recipe that is no longer valid is another recipe
            if folder.load_recipe().recipe == recipe:
                return folder
        if named:
            raise UserError(
                f"{path} holds another run",
                where=f"`name={recipe.name}`",
                cure="choose another name, or remove the folder",
            )
    raise UserError(f"{out} holds too many runs named {recipe.name}", cure="give another `name=…`")


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
            cure=f"go on with `wildreid.pipeline.resume({str(folder.path)!r})`",
        ) from None


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
