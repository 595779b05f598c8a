"""Images as they come, shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wildreid.errors import UserError
from wildreid.kinds import Sampler

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.kinds import Batches


class Uniform(Sampler):
    """All images in a new order each epoch, whoever they show; for classification losses.

    A loss over pairs may find none of one animal in such a batch. What does not fill a last batch is left to
    another epoch.
    """

    name = "uniform"

    def build(self, *, table: Table, batch: int, seed: int) -> Batches:
        """Batches of positions in the table; raises UserError where there are fewer rows than a batch."""
        if len(table) < batch:
            raise UserError(
                f"a batch of {batch} cannot be filled: there are {len(table)} training images",
                where="training.batch",
                cure=f"set training.batch={len(table)} or less",
            )
        return Shuffled(len(table), batch=batch, seed=seed)


class Shuffled:
    """Positions 0 … rows - 1 in a new order each epoch, cut into batches."""

    def __init__(self, rows: int, *, batch: int, seed: int) -> None:
        self.rows, self.batch, self.seed, self.epoch = rows, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Draw for this epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.rows // self.batch

    def __iter__(self) -> Iterator[list[int]]:
        import numpy as np

        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.rows)
        for first in range(0, len(self) * self.batch, self.batch):
            yield order[first : first + self.batch].tolist()
