"""Batches of several images an individual: the drawing that the samplers share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wildreid.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator

    from wildreid.artefacts import Ints
    from wildreid.data.table import Table


class Packed:
    """Batches in which an individual has at most ``images`` images, none of them twice.

    An individual's images are dealt into hands of ``images`` (all it has, where that is fewer); a hand that
    comes out short is filled up with others of its images. Hands are shuffled and packed into batches, an
    individual at most once a batch; what does not fit waits for the next. A batch's last hand may be cut.
    An epoch has as many batches as would show each image once.

    Args:
        table: training rows with ``identity``, and ``encounter`` where `spread` is asked for.
        batch: images in a batch.
        seed: of all draws, together with the epoch.
        images: of one individual in a batch, at most.
        balanced: each individual equally often, instead of each image about once an epoch.
        spread: deal so that a hand's images come from different encounters where they can.

    Raises:
        UserError: a batch cannot be filled; no individual has two images.
    """

    def __init__(
        self,
        table: Table,
        *,
        batch: int,
        seed: int,
        images: int,
        balanced: bool = False,
        spread: bool = False,
    ) -> None:
        import pandas as pd

        codes = pd.factorize(table["identity"])[0]
        self.own = [(codes == code).nonzero()[0] for code in range(codes.max(initial=-1) + 1)]
        self.encounters = encounters(table) if spread else None
        self.batch, self.seed, self.images, self.balanced = batch, seed, images, balanced
        self.epoch = 0
        self.length = max(1, len(table) // batch)
        self._check(most=sum(min(images, len(rows)) for rows in self.own))

    def _check(self, *, most: int) -> None:
        if all(len(rows) < 2 for rows in self.own):
            raise UserError(
                "no individual has two training images, so there is no pair to learn from",
                where="sampler",
                cure="more images for each individual, or the sampler 'uniform' with the loss 'arcface'",
            )
        if most < self.batch:
            raise UserError(
                f"a batch of {self.batch} cannot be filled: {len(self.own)} training individuals give {most} "
                f"images where one may give {self.images}",
                where="sampler.images",
                cure=f"set training.batch={max(2, most)} or less, or a larger sampler.images",
            )

    def set_epoch(self, epoch: int) -> None:
        """Draw for this epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[list[int]]:
        import numpy as np

        draw = np.random.default_rng([self.seed, self.epoch])
        waiting: deque[tuple[int, Ints]] = deque()
        for _ in range(self.length):
            chosen: list[int] = []
            taken: set[int] = set()
            passed: list[tuple[int, Ints]] = []
            while len(chosen) < self.batch:
                if not waiting:
                    waiting.extend(self._hands(draw))
                who, hand = waiting.popleft()
                if who in taken:
                    passed.append((who, hand))
                    continue
                taken.add(who)
                chosen.extend(hand[: self.batch - len(chosen)].tolist())
            waiting.extendleft(reversed(passed))
            yield chosen

    def _hands(self, draw: Generator) -> list[tuple[int, Ints]]:
        """All hands of one pass, shuffled: each individual's images, or one hand of each."""
        hands: list[tuple[int, Ints]] = []
        for who, rows in enumerate(self.own):
            order = draw.permutation(rows)
            count = -(-len(order) // self.images)
            if self.encounters is not None:
                order = order[self._by_encounter(order, draw)]
            which = [draw.integers(count)] if self.balanced else range(count)
            hands.extend((who, self._filled(order[first::count], order, draw)) for first in which)
        return [hands[position] for position in draw.permutation(len(hands))]

    def _filled(self, hand: Ints, rows: Ints, draw: Generator) -> Ints:
        import numpy as np

        short = min(self.images, len(rows)) - len(hand)
        if not short:
            return hand
        return np.concatenate([hand, draw.choice(np.setdiff1d(rows, hand), short, replace=False)])

    def _by_encounter(self, rows: Ints, draw: Generator) -> Ints:
        """An order in which an encounter's images stand together: dealt in turn, they go to many hands."""
        import numpy as np

        assert self.encounters is not None
        names, position = np.unique(self.encounters[rows], return_inverse=True)
        return np.argsort(draw.permutation(len(names))[position], kind="stable")


def encounters(table: Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(rows,) the encounter of each row as a number; a row without one is an encounter of its own.

    Raises:
        UserError: the table has no encounters.
    """
    import numpy as np
    import pandas as pd

    if "encounter" not in table.rows:
        raise UserError(
            "the table has no encounters",
            where="sampler",
            cure="take the sampler 'per-identity', or add dates",
        )
    codes = pd.factorize(table["encounter"])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = np.arange(alone.sum()) + codes.max(initial=0) + 1
    return codes
