"""The best weights so far, on disk in step with the checkpoint, and patience."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from wildreid.files import put
from wildreid.recipe.model import Recipe
from wildreid.training.checkpoint import FOLDER
from wildreid.training.embedder import WEIGHTS, Embedder, describe_embedder, load_weights


class Best:
    """Which epoch was best, and its weights in ``checkpoints/best-<epoch>.safetensors``.

    The file of a new best stands before the checkpoint that names it, and the old one goes after, so that
    whatever checkpoint a kill leaves behind, its best weights are there. ``model.safetensors`` is the same
    file under another name, where the disk can.

    Args:
        folder: the run's.
        patience: epochs without a gain after which to be tired; None: never.
        min_gain: by how much the value must pass that of the last gain to count as one. For the weights
            any higher value is better.
        writes: whether this process is the one that writes; the others only keep count.
    """

    def __init__(self, folder: Path, *, patience: int | None, min_gain: float, writes: bool = True) -> None:
        self.folder, self.patience, self.min_gain, self.writes = folder, patience, min_gain, writes
        self.epoch, self.waited = 0, 0
        self._published = 0  # by this process: what a killed one left may be half of it
        self.value: float | None = None
        self.gained: float | None = None

    @property
    def tired(self) -> bool:
        """Whether patience is over."""
        return self.patience is not None and self.waited >= self.patience

    def offer(self, embedder: Embedder, value: float | None, epoch: int) -> None:
        """Keep the weights if their value is above the best so far; without a value they always are."""
        gain = value is None or self.gained is None or value > self.gained + self.min_gain
        self.gained, self.waited = (value, 0) if gain else (self.gained, self.waited + 1)
        if value is None or self.value is None or value > self.value:
            self.value, self.epoch = value, epoch
            if not self.writes:
                return
            state = {name: tensor.detach().contiguous() for name, tensor in embedder.state_dict().items()}
            put(self.file, lambda path: save_file(state, path), lasting=True)

    def publish(self, embedder: Embedder, recipe: Recipe) -> None:
        """Make ``model.safetensors`` the best weights of the checkpoint, and remove what it does not name."""
        if not self.writes:
            return
        if self.epoch != self._published:
            put(self.folder / WEIGHTS, self._link, lasting=True)
            describe_embedder(embedder, self.folder, recipe)
            self._published = self.epoch
        for other in (self.folder / FOLDER).glob("best-*"):
            if other != self.file:
                other.unlink()

    def load_into(self, embedder: Embedder) -> Embedder:
        """Give the embedder the best weights."""
        load_weights(embedder, self.file)
        return embedder.eval()

    @property
    def file(self) -> Path:
        """Where the best weights are."""
        return self.folder / FOLDER / f"best-{self.epoch:04d}.safetensors"

    def _link(self, path: Path) -> None:
        """One file under two names, where the disk can; a copy where not."""
        with contextlib.suppress(OSError):
            path.unlink()
        try:
            os.link(self.file, path)
        except OSError:
            shutil.copyfile(self.file, path)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"epoch": self.epoch, "waited": self.waited, "value": self.value, "gained": self.gained}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.epoch, self.waited = state["epoch"], state["waited"]
        self.value, self.gained = state["value"], state["gained"]
