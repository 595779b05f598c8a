"""Batches of one species each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializeAsAny

from wildreid.errors import UserError
from wildreid.kinds import Sampler
from wildreid_plugins.samplers.encounter_aware import EncounterAware

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.data.table import Table
    from wildreid.kinds import Batches


class BySpecies(Sampler):
    """Each batch shows one species, drawn by another sampler; the batches of all species come in random order.

    A bear is told from a cow at a glance: pairs of two species teach a loss next to nothing, and in a batch of
    one species every pair is one that will be asked. A table without species is one of one species.
    """

    name = "by-species"
    of: SerializeAsAny[Sampler] = Field(
        EncounterAware(), description="which images of a species make a batch: the name of another sampler"
    )

    def build(self, *, table: Table, batch: int, seed: int) -> Batches:
        """Batches of positions in the table; raises UserError where one of a species cannot be filled."""
        import numpy as np
        import pandas as pd

        species = table["species"] if "species" in table.rows else pd.Series("", index=table.rows.index)
        parts = []
        for name, rows in sorted(species.fillna("").groupby(species.fillna("")).indices.items()):
            some = table.with_rows(table.rows.iloc[rows])
            try:
                parts.append((np.asarray(rows), self.of.build(table=some, batch=batch, seed=seed)))
            except UserError as error:
                told = f"{error.what}; of the species '{name or 'unknown'}'"
                raise UserError(told, where=error.where, cure=error.cure) from None
        return Mixed(parts, seed)


class Mixed:
    """The batches of several tables in one random order, drawn again each epoch."""

    def __init__(self, parts: Sequence[tuple[NDArray[Any], Batches]], seed: int) -> None:
        self.parts, self.seed, self.epoch = parts, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Draw for this epoch."""
        self.epoch = epoch
        for _, batches in self.parts:
            batches.set_epoch(epoch)

    def __len__(self) -> int:
        return sum(len(batches) for _, batches in self.parts)

    def __iter__(self) -> Iterator[list[int]]:
        import numpy as np

        sizes = [len(batches) for _, batches in self.parts]
        turn = np.random.default_rng([self.seed, self.epoch, 7]).permutation(
            np.repeat(np.arange(len(sizes)), sizes)
        )
        drawn = [iter(batches) for _, batches in self.parts]
        for part in turn:
            yield self.parts[part][0][next(drawn[part])].tolist()
