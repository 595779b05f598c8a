"""The training loop, top to bottom in one function."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wildreid.data.table import Table
from wildreid.errors import Interrupted, UserError
from wildreid.files import put_text
from wildreid.kinds import Log
from wildreid.places import cache_folder
from wildreid.progress import bar, say
from wildreid.recipe.model import Recipe
from wildreid.training.best import Best
from wildreid.training.checkpoint import identity_of, load_checkpoint, remove_checkpoints, save_checkpoint
from wildreid.training.device import keep_freed_memory, pick_device, pick_precision
from wildreid.training.embed import embed
from wildreid.training.embedder import Embedder, build_embedder, save_embedder
from wildreid.training.features import Features, open_features, rests
from wildreid.training.freezing import train_mode
from wildreid.training.interrupt import listening
from wildreid.training.prefetch import prefetch
from wildreid.training.random_state import random_state, restore_random_state, seed_all
from wildreid.training.rows import training_rows, validation_rows
from wildreid.training.tally import Tally
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.data.store import ImageStore

HISTORY = "history.jsonl"


def train(
    recipe: Recipe,
    table: Table,
    images: ImageStore,
    folder: Path,
    *,
    validate: Callable[[Floats], dict[str, float]] | None,
    device: str = "auto",
    logs: Sequence[Log] = (),
    picture: Callable[[int, Floats], None] | None = None,
    resume: bool = False,
    world: World = ALONE,
) -> Embedder:
    """Train a recipe's network on the train part; nothing is ever computed from the test part.

    Writes ``model.safetensors`` and ``model.json`` (the weights of the best epoch so far), ``history.jsonl``
    (one line an epoch) and ``checkpoints/``, all in `folder` and each whole or not at all.

    Args:
        recipe: with ``epochs: 0`` the network is saved as it comes.
        table: the split table; its rows are those of `images`.
        images: the decoded images.
        folder: the run's.
        validate: figures from the embeddings of `validation_rows`, in their order; the best weights are those
            with the highest ``training.watch``. None: the last weights are the best.
        device: as in a recipe.
        logs: are told of each epoch.
        picture: is given the number of each epoch and what `validate` was given; draws no random numbers.
        resume: go on from the last checkpoint, where there is one, to the same weights bit for bit.
        world: the processes that train together, each on its share of each batch, to the weights that one
            alone would come to; the first alone writes to `folder`, which all of them see.

    Returns:
        The embedder with the best weights, on the device it was trained on.

    Raises:
        UserError: nothing to train, fewer than two identities, a batch that cannot be filled, a loss that is
            not finite, a checkpoint of another recipe, no space left.
        Interrupted: Ctrl-C or SIGTERM; all is saved.
    """
    settings, place = recipe.training, pick_device(device)
    half = pick_precision(settings.precision, place)
    keep_freed_memory(place)
    seed_all(recipe.seed)
    embedder = build_embedder(recipe).to(place)
    embedder.lay_out(channels_last=settings.channels_last)
    if settings.epochs == 0:
        if world.first:
            save_embedder(embedder, folder, recipe)
            _write_history(folder, [])
        world.wait()
        return embedder
    if settings.batch < world.size:
        raise UserError(
            f"a batch of {settings.batch} images cannot be shared by {world.size} processes",
            where="training.batch",
            cure=f"set training.batch={world.size} or more",
        )

    # what is learned from, in which batches, and what chooses the weights
    rows, labels = training_rows(table)
    held_out = validation_rows(table, settings.gallery)
    chosen = table.with_rows(table.rows.iloc[rows])
    batches = recipe.sampler.build(table=chosen, batch=settings.batch, seed=recipe.seed)

    seen: ImageStore | Features = images
    if rests(recipe):
        seen = open_features(
            embedder, images, recipe, rows=np.union1d(rows, held_out), learned=rows, device=str(place),
            cache=cache_folder(), world=world,
        )  # fmt: skip

    # what learns, and how
    built = recipe.loss.build(width=embedder.width, classes=int(labels.max()) + 1)
    objective = cast("nn.Module", built).to(place)
    miner = recipe.miner.build()
    augment = [transform.build(size=recipe.images.size) for transform in recipe.transforms]
    groups = embedder.groups()
    if not groups:
        raise UserError(
            f"the backbone '{recipe.backbone.name}' and the head '{recipe.head.name}' have nothing to learn",
            where="training.epochs",
            cure="set training.epochs to 0, which takes the network as it comes",
        )
    if own := list(objective.parameters()):
        groups["loss"] = own
    learning = [parameter for group in groups.values() for parameter in group]
    optimizer = recipe.optimizer.build(groups=groups)
    windows = ceil(len(batches) / settings.accumulate)
    schedule = recipe.scheduler.build(optimizer=optimizer, steps=settings.epochs * windows)
    scaler = torch.amp.GradScaler(place.type, enabled=half is torch.float16)
    average = None
    if settings.ema is not None:
        average = AveragedModel(embedder, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))  # type: ignore[no-untyped-call]
    measured_network = cast("Embedder", average.module) if average is not None else embedder
    if settings.compile:
        _compile(embedder, recipe)

    # where it stands
    best = Best(folder, patience=settings.patience, min_gain=settings.min_gain, writes=world.first)
    tally, history = Tally(chosen), []
    epoch = step = 0
    stateful: dict[str, Any] = {
        "embedder": embedder, "objective": objective, "optimizer": optimizer, "schedule": schedule,
        "scaler": scaler, "best": best, "tally": tally,
    } | ({"average": average} if average is not None else {})  # fmt: skip
    identity = identity_of(recipe, table)
    if not resume and world.first:
        remove_checkpoints(folder)
    world.wait()
    if world.rank:  # the same weights as the first, but dropout and augmentation of its own
        seed_all(recipe.seed + 1_000_003 * world.rank)
    if checkpoint := load_checkpoint(folder, identity):
        for name, part in stateful.items():
            part.load_state_dict(checkpoint[name])
        epoch, step, history = checkpoint["epoch"], checkpoint["step"], checkpoint["history"]
        states = checkpoint["random"]
        if len(states) == world.size:
            restore_random_state(states[world.rank], place)
        elif world.first:
            say(f"begun by {len(states)} processes, goes on with {world.size}: other random draws")
        best.publish(embedder, recipe)
    if world.first:
        _write_history(folder, history)

    def save() -> None:
        states = world.ask(random_state(place))
        if world.first:
            parts = {name: part.state_dict() for name, part in stateful.items()}
            place_in_run = {"epoch": epoch, "step": step, "history": history, "random": states}
            save_checkpoint(folder, {"identity": identity, **parts, **place_in_run})

    def read(batch: list[int]) -> tuple[list[int], torch.Tensor]:
        share = rows[list(world.share(batch))]
        if isinstance(seen, Features):
            inputs = torch.from_numpy(seen.draw(share, seed=[recipe.seed, epoch, *share]))
        else:
            inputs = torch.from_numpy(seen.take(share))
        return batch, inputs.pin_memory() if place.type == "cuda" else inputs

    def progress() -> str:
        speed = f", {tally.images / tally.seconds:.0f} images/s" if tally.seconds else ""
        return f"training {epoch + 1}/{settings.epochs}, loss {tally.mean:.3f}{speed}"

    network: nn.Module | None = None
    with listening() as stop:
        while epoch < settings.epochs and not best.tired:
            train_mode(embedder, freeze=settings.freeze, thaw=settings.thaw, epoch=epoch)
            if network is None or epoch == settings.thaw:
                network = world.wrap(embedder)
            objective.train()
            batches.set_epoch(epoch)
            began, seconds_before = time.perf_counter(), tally.seconds
            ahead = list(batches)[tally.batches :]  # a resumed epoch goes on where it stopped
            for batch, inputs in bar(
                prefetch(ahead, read, threads=settings.workers), progress, total=len(ahead)
            ):
                done = tally.seen
                window = min(settings.accumulate, len(batches) - (done - done % settings.accumulate))
                waits = bool((done + 1) % settings.accumulate) and done + 1 < len(batches)
                inputs = inputs.to(place, non_blocking=True)
                if seen is images:
                    inputs = embedder.prepare(inputs, augment)
                truth = torch.from_numpy(labels[batch]).to(place, non_blocking=True)
                with world.apart(network, wanted=waits):
                    with torch.autocast(place.type, half, enabled=half is not None):
                        embeddings = network(inputs)
                    embeddings = world.gather(embeddings, len(batch))
                    loss = objective(embeddings, truth, miner(embeddings, truth))
                    tally.add(loss, batch)
                    scaler.scale(loss / window).backward()
                if waits:
                    continue
                world.average(own)
                if settings.clip is not None:
                    scaler.unscale_(optimizer)
                    nn.utils.clip_grad_norm_(learning, settings.clip)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                schedule.step(None)
                if average is not None:
                    average.update_parameters(embedder)
                step += 1
                tally.seconds = seconds_before + time.perf_counter() - began
                asked = world.any(stop.asked)
                if asked or (settings.checkpoint_every and step % settings.checkpoint_every == 0):
                    tally.settle()
                    save()
                if asked:
                    raise _interrupted(folder, epoch)
            tally.settle()

            # the epoch is over: how good is it?
            line: dict[str, Any] = {"epoch": epoch + 1, "step": step, "loss": tally.mean}
            line |= {f"rate/{group['name']}": group["lr"] for group in optimizer.param_groups}
            value = None
            if validate is not None:
                vectors = embed(
                    measured_network, seen, held_out, device=str(place), precision=settings.precision,
                    batch=settings.batch, what=f"validating {epoch + 1}/{settings.epochs}", world=world,
                )  # fmt: skip
                figures = validate(vectors)
                if picture is not None:
                    picture(epoch + 1, vectors)
                value = _watched(figures, settings.watch)
                line |= figures
                schedule.step(value)
            line |= {"seconds": round(seconds_before + time.perf_counter() - began, 3)}
            line |= {"images/second": round(tally.images / max(tally.seconds, 1e-9), 1)}
            history.append(line)
            for log in logs:
                log.log(epoch + 1, {name: value for name, value in line.items() if name != "epoch"})
            epoch += 1
            tally.clear()
            best.offer(measured_network, value, epoch)
            save()
            best.publish(measured_network, recipe)
            if world.first:
                _write_history(folder, history)
            if world.any(stop.asked) and epoch < settings.epochs and not best.tired:
                raise _interrupted(folder, epoch)
    world.wait()
    return best.load_into(embedder)


def _watched(figures: dict[str, float], watch: str) -> float:
    if watch not in figures:
        raise UserError(
            f"validation gives no '{watch}', by which to choose the weights; it gives {', '.join(figures)}",
            where="training.watch",
            cure="watch one of those",
        )
    return figures[watch]


def _write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in history)
    put_text(folder / HISTORY, text, lasting=True)


def _interrupted(folder: Path, epoch: int) -> Interrupted:
    return Interrupted(
        f"stopped in epoch {epoch + 1}; all is saved",
        where=str(folder),
        cure=f"go on with `wildreid.pipeline.resume({str(folder)!r})`",
    )


def _compile(embedder: Embedder, recipe: Recipe) -> None:
    """Compile the network in place, and once run it, so that a missing compiler is told of now."""
    embedder.compile()
    size = recipe.images.size
    try:
        with torch.no_grad():
            embedder.eval()(torch.zeros(2, 3, size, size, device=embedder.mean.device))
    except Exception as error:
        raise UserError(
            f"torch.compile does not work here: {str(error).strip().splitlines()[0]}",
            where="training.compile",
            cure="install a C++ compiler, or take `training.compile=false`",
        ) from None
