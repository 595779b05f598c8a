"""The loss of an epoch, added up without making the device wait, and watched for what is not finite."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from wildreid.data.table import Table
from wildreid.errors import UserError


class Tally:
    """Sum of the losses of an epoch's batches.

    A loss is looked at when the next one is handed in: by then a GPU has finished it, and has the next step's
    work in hand.

    Args:
        table: names the images of a batch whose loss is not finite.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.total, self.seconds = 0.0, 0.0
        self._began = time.perf_counter()
        self.batches, self.images = 0, 0
        self._waiting: tuple[Tensor, Sequence[int]] | None = None

    def start(self) -> None:
        """The clock runs from here, or on from where the checkpoint of a resumed epoch stopped it."""
        self._began = time.perf_counter() - self.seconds

    def lap(self) -> None:
        """Take the time of the batches so far: `seconds`."""
        self.seconds = self.elapsed

    @property
    def elapsed(self) -> float:
        """Seconds of the epoch so far."""
        return time.perf_counter() - self._began

    @property
    def speed(self) -> float:
        """Images a second; 0 before the first lap."""
        return self.images / self.seconds if self.seconds else 0.0

    def add(self, loss: Tensor, rows: Sequence[int]) -> None:
        """Hand in the loss of a batch of these rows of the table."""
        self.settle()
        self._waiting = loss.detach(), rows

    def settle(self) -> None:
        """Look at the loss that was handed in last.

        Raises:
            UserError: it is not finite; names the batch's files.
        """
        if self._waiting is None:
            return
        loss, rows = self._waiting
        self._waiting = None
        value = float(loss)
        if not math.isfinite(value):
            files = self.table["image"].iloc[list(rows)].tolist()
            raise UserError(
                f"the loss is {value} at batch {self.batches + 1} of the epoch, whose images are: "
                f"{', '.join(files)}",
                where="training",
                cure="look at these images; lower the optimizer's rates, or set training.clip=1; what was "
                "trained up to the last checkpoint is kept",
            )
        self.total += value
        self.batches += 1
        self.images += len(rows)

    @property
    def mean(self) -> float:
        """Mean loss of the batches so far."""
        return self.total / max(1, self.batches)

    @property
    def seen(self) -> int:
        """Batches handed in so far."""
        return self.batches + (self._waiting is not None)

    def clear(self) -> None:
        """Begin the next epoch."""
        self.load_state_dict({"total": 0.0, "batches": 0, "images": 0, "seconds": 0.0})

    def state_dict(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {name: getattr(self, name) for name in ("total", "batches", "images", "seconds")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name, value in state.items():
            setattr(self, name, value)
