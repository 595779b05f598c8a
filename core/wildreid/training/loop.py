"""The training loop, top to bottom in one function."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from wildreid.data.augmentation import images_for
from wildreid.data.table import Table
from wildreid.errors import Interrupted, UserError
from wildreid.files import put_text
from wildreid.kinds import Log
from wildreid.option import blamed
from wildreid.places import cache_folder
from wildreid.progress import bar
from wildreid.recipe.model import Recipe
from wildreid.recipe.settings import Training
from wildreid.training.best import Best
from wildreid.training.checkpoint import Checkpoints, Standing, identity_of, remove_checkpoints
from wildreid.training.device import keep_freed_memory, pick_device, pick_precision
from wildreid.training.embed import embed
from wildreid.training.embedder import Embedder, build_embedder, save_embedder
from wildreid.training.features import CachedFeatures, open_features, rests
from wildreid.training.fitting import fitted
from wildreid.training.freezing import train_mode
from wildreid.training.interrupt import listening
from wildreid.training.learner import build_learner, compile_network
from wildreid.training.prefetch import prefetch
from wildreid.training.random_state import seed_all
from wildreid.training.rows import class_names, training_rows, validation_rows
from wildreid.training.tally import Tally
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.data.pixels import ImageRows

HISTORY = "history.jsonl"


def train(
    recipe: Recipe,
    table: Table,
    images: ImageRows,
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
    (one line for each epoch) and ``checkpoints/``, all in `folder` and each whole or not at all.

    Args:
        recipe: with ``epochs: 0`` the network is saved as it comes.
        table: the split table; its rows are those of `images`.
        images: the decoded images.
        folder: the run's.
        validate: figures from the embeddings of `validation_rows`, in their order; the best weights are those
            with the highest ``training.watch``, smoothed by ``training.smooth``. None: the last weights are the
            best.
        device: as in a recipe.
        logs: get each epoch's numbers.
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
    seed_all(recipe.seed)  # before the network is built: its first weights are random too
    embedder = build_embedder(recipe).to(place)
    embedder.lay_out(channels_last=settings.channels_last)
    if settings.epochs == 0:  # no loop, but all files of a trained run, so that what follows need not know
        if world.first:
            save_embedder(embedder, folder, recipe)
            _write_history(folder, [])
        fitted(embedder, images, recipe, table, folder, validate=validate, device=str(place), world=world)
        world.wait()
        return embedder.eval()
    if settings.batch < world.size:
        raise UserError(
            f"a batch of {settings.batch} images cannot be shared by {world.size} processes",
            where="training.batch",
            cure=f"set training.batch={world.size} or more",
        )

    # what is learned from, in which batches, and what chooses the weights
    rows, labels = training_rows(table)
    held_out = validation_rows(table, settings.gallery)
    # with `apart`, the left and right side of one animal are two classes here
    learned = table.rows.assign(identity=class_names(table))
    chosen = table.with_rows(learned.iloc[rows])
    batches = recipe.sampler.build(table=chosen, batch=settings.batch, seed=recipe.seed)

    # a backbone that never learns gives the same features in each epoch: they are computed once, here
    seen: ImageRows | CachedFeatures = images
    if rests(recipe):
        seen = open_features(
            embedder, images, recipe, rows=np.union1d(rows, held_out), learned=rows, device=str(place),
            cache=cache_folder(), world=world,
        )  # fmt: skip

    # what learns, and how; a window of batches makes one step, and schedules count steps, not batches
    windows = ceil(len(batches) / settings.accumulate)
    learner = build_learner(
        recipe, embedder, classes=int(labels.max()) + 1, steps=settings.epochs * windows, table=chosen
    )
    if settings.compile:  # after the optimizer is made: it holds the same parameters, compiled or not
        compile_network(embedder, recipe.images.size)

    # where it stands
    best = Best(folder, patience=settings.patience, min_gain=settings.min_gain, writes=world.first)
    tally = Tally(chosen)
    kept = Checkpoints(
        folder, identity_of(recipe, table), learner.parts() | {"best": best, "tally": tally},
        place=place, world=world,
    )  # fmt: skip
    if not resume and world.first:
        remove_checkpoints(folder)
    world.wait()  # nobody looks for a checkpoint that the first still removes
    if world.rank:  # the same weights as the first, but dropout and augmentation of its own
        seed_all(recipe.seed + 1_000_003 * world.rank)
    standing = kept.restore()
    if standing is not None:
        best.publish(embedder, recipe)  # a kill may have come between the checkpoint and this
    epoch, step, history = standing or (0, 0, [])
    if world.first:
        _write_history(folder, history)

    def read(batch: list[int]) -> tuple[list[int], torch.Tensor]:  # runs in threads, ahead of the loop
        share = rows[list(world.share(batch))]
        if isinstance(seen, CachedFeatures):
            # which of the kept views: by a seed of its own, so that it is the same in whatever thread
            inputs = torch.from_numpy(seen.draw(share, seed=[recipe.seed, epoch, *share]))
        else:
            inputs = torch.from_numpy(images_for(recipe.transforms, seen, share))
        # only from pinned memory can a copy to the GPU go on while the GPU computes
        return batch, inputs.pin_memory() if place.type == "cuda" else inputs

    def progress() -> str:
        speed = f", {tally.speed:.0f} images/s" if tally.speed else ""
        return f"training {epoch + 1}/{settings.epochs}, loss {tally.mean:.3f}{speed}"

    network: nn.Module | None = None
    with listening() as stop:
        while epoch < settings.epochs and not best.tired:
            # each epoch, since validation left it in evaluation mode; what is frozen stays in that mode
            train_mode(embedder, freeze=settings.freeze, thaw=settings.thaw, epoch=epoch)
            if network is None or epoch == settings.thaw:  # a wrapper knows what learns when it is made
                network = world.wrap(embedder)
            learner.objective.train()
            # all batches are drawn now, from seed and epoch alone: a resumed epoch skips those it has done
            with blamed(recipe.sampler, "on an epoch"):
                batches.set_epoch(epoch)
                drawn = list(batches)
            tally.start()
            ahead = drawn[tally.batches :]
            for batch, inputs in bar(
                prefetch(ahead, read, threads=settings.workers), progress, total=len(ahead)
            ):
                # gradients of a window of batches are added up; the epoch's last window may be shorter, and
                # its batches then weigh more, so that each step moves by a mean
                done = tally.seen
                window = min(settings.accumulate, len(batches) - (done - done % settings.accumulate))
                waits = bool((done + 1) % settings.accumulate) and done + 1 < len(batches)
                inputs = inputs.to(place, non_blocking=True)
                # augmented here and not in `read`: on the device, a whole batch at once; kept features were
                # augmented when they were computed
                if seen is images:
                    inputs = embedder.prepare(inputs, learner.augment)
                truth = torch.from_numpy(labels[batch]).to(place, non_blocking=True)
                # one that is asked to stop stops all of them, at the same step; they agree while this one computes
                asked = world.vote(lambda: stop.asked)
                with world.apart(network, wanted=waits):  # processes need to agree but once a step
                    # half precision for the network alone: a loss with exponentials needs all its digits
                    with torch.autocast(place.type, half, enabled=half is not None):
                        embeddings = network(inputs)
                    # each process embeds its share of the batch, and all compute the loss of the whole
                    # batch: miners and losses see as many pairs as one process alone would
                    embeddings = world.gather(embeddings, len(batch))
                    loss = learner.loss(embeddings, truth)
                    tally.add(loss, batch)  # looks at the loss one batch late: now it would wait for the GPU
                    # divided, since gradients of a window are added and a mean is wanted; scaled, since small
                    # gradients of 16-bit floats would be 0 (the scaler does nothing for other precisions)
                    learner.scaler.scale(loss / window).backward()  # type: ignore[no-untyped-call]
                if waits:  # the window is not full yet
                    continue
                world.average(learner.own)  # the network's own gradients, `wrap` has averaged as they came
                learner.step()
                step += 1
                tally.lap()
                stops = asked()
                if stops or (settings.checkpoint_every and step % settings.checkpoint_every == 0):
                    tally.settle()  # a loss that is not finite is reported before it is kept
                    kept.save(Standing(epoch, step, history))
                if stops:
                    raise _interrupted(folder, epoch)
            tally.settle()

            # the epoch is over: how good is it?
            line: dict[str, Any] = {"epoch": epoch + 1, "step": step, "loss": tally.mean}
            line |= {f"rate/{group['name']}": group["lr"] for group in learner.optimizer.param_groups}
            value = None
            if validate is not None:
                vectors = embed(
                    learner.measured, seen, held_out, device=str(place), precision=settings.precision,
                    batch=settings.batch, what=f"validating {epoch + 1}/{settings.epochs}", world=world,
                )  # fmt: skip
                figures = validate(vectors)
                if picture is not None:
                    picture(epoch + 1, vectors)
                value = _watched(figures, settings, history)
                line |= {**figures, "watched": value}
                learner.schedule.step(value)  # for those that wait for a plateau; others moved at each step
            line |= {"seconds": round(tally.elapsed, 3), "images/second": round(tally.speed, 1)}
            history.append(line)
            for log in logs:
                log.log(epoch + 1, {name: value for name, value in line.items() if name != "epoch"})
            epoch += 1  # before the checkpoint, which says where to go on
            tally.clear()
            # the new best's file, then the checkpoint that names it, then the old best goes: a kill between
            # any two of them leaves a checkpoint whose best weights are there
            best.offer(learner.measured, value, epoch)
            kept.save(Standing(epoch, step, history))
            best.publish(learner.measured, recipe)
            if world.first:
                _write_history(folder, history)
            if world.any(stop.asked) and epoch < settings.epochs and not best.tired:
                raise _interrupted(folder, epoch)
    world.wait()  # until the first has written the best weights, which all load now
    fitted(
        best.load_into(embedder),
        seen,
        recipe,
        table,
        folder,
        validate=validate,
        device=str(place),
        world=world,
    )
    return embedder


def _watched(figures: dict[str, float], settings: Training, history: Sequence[dict[str, Any]]) -> float:
    """What this epoch's weights are judged by: the watched figure, or its mean over the last epochs."""
    watch = settings.watch
    if watch not in figures:
        raise UserError(
            f"validation gives no '{watch}', by which to choose the weights; it gives {', '.join(figures)}",
            where="training.watch",
            cure="watch one of those",
        )
    before = [line[watch] for line in history[max(0, len(history) - settings.smooth + 1) :]]
    return float(figures[watch] + sum(before)) / settings.smooth


def _write_history(folder: Path, history: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in history)
    put_text(folder / HISTORY, text, lasting=True)


def _interrupted(folder: Path, epoch: int) -> Interrupted:
    return Interrupted(
        f"stopped in epoch {epoch + 1}; all is saved",
        where=str(folder),
        cure=f"go on with `wildreid.pipeline.resume({str(folder)!r})`",
    )
