"""From images to embeddings, many at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from wildreid.errors import UserError
from wildreid.progress import bar
from wildreid.training.device import keep_freed_memory, pick_device, pick_precision
from wildreid.training.features import CachedFeatures
from wildreid.training.fuse import fused
from wildreid.training.prefetch import prefetch
from wildreid.training.world import ALONE, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.pixels import ImageRows
    from wildreid.training.embedder import Embedder

AHEAD = 64
"""Images read at once, where a batch is smaller: to take them from the reading thread costs each time."""

MANY = 32
"""Batches from which on folding batch norms pays: it costs what it saves in ten to thirty of them."""


def embed(
    embedder: Embedder,
    images: ImageRows | CachedFeatures,
    rows: Sequence[int] | Ints | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    batch: int = 64,
    out: Path | None = None,
    what: str = "embedding",
    world: World = ALONE,
    total: int | None = None,
) -> Floats:
    """(rows, width) float32 embeddings of unit length, in the order of `rows`.

    Images are read ahead in a thread. The embedder is moved to `device` and left in the mode it was in.

    Args:
        embedder: the network.
        images: the decoded images, or what a frozen backbone has made of them.
        rows: positions in `images`; None: all of them.
        device: as in a recipe.
        precision: as in a recipe's training.
        batch: images at a time.
        out: a ``.npy`` file to fill and return memory-mapped, for more rows than memory holds.
        what: the words before the progress bar.
        world: the processes that embed together, each its share; all return all rows.
        total: of how many rows these are a share, so that they come out bit for bit as they would among all of
            those, where shares begin at a multiple of `batch`; None: they are all.

    Raises:
        UserError: no space left for `out`.
    """
    place = pick_device(device)
    half = pick_precision(precision, place)
    keep_freed_memory(place)
    wanted: NDArray[np.int64] = np.arange(len(images)) if rows is None else np.asarray(rows, dtype=np.int64)
    shape = (len(wanted), embedder.width)
    found: Floats
    if out is None:
        found = np.zeros(shape, dtype=np.float32)
    else:
        if world.first:
            out.parent.mkdir(parents=True, exist_ok=True)
            np.lib.format.open_memmap(out, mode="w+", dtype=np.float32, shape=shape)
            _allocate(out)
        world.wait()
        found = np.lib.format.open_memmap(out, mode="r+")
    step = max(1, AHEAD // batch) * batch
    firsts = world.share(range(0, len(wanted), step))
    training = embedder.training
    embedder.to(place).eval()
    many = (len(firsts) * step if total is None else total) >= MANY * batch
    network = fused(embedder) if many and not isinstance(images, CachedFeatures) else embedder

    def read(first: int) -> tuple[int, Tensor]:
        return first, torch.from_numpy(images.take(wanted[first : first + step]))

    try:
        with torch.inference_mode(), torch.autocast(place.type, half, enabled=half is not None):
            for first, pixels in bar(prefetch(firsts, read, threads=1), what, total=len(firsts)):
                for some in torch.split(pixels, batch):
                    vectors = network(some.to(place, non_blocking=True))
                    found[first : first + len(some)] = vectors.cpu().numpy()
                    first += len(some)
    finally:
        embedder.train(training)
    if out is None:
        world.add_up(found)
    if isinstance(found, np.memmap):
        found.flush()
        world.wait()
    return found


def _allocate(path: Path) -> None:
    """Take the file's space on the disk now: a memory map that finds none later kills the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("rb+") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                return  # a file system that cannot promise
            path.unlink()
            raise UserError(
                f"cannot be written: {error.strerror}", where=str(path), cure="make space on the disk"
            ) from None
