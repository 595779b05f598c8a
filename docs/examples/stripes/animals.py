"""The splitter ``whole-animals``: both flanks of an animal are in one part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from wildreid.data.table import Table

SIDES = ("left", "right")


def animal_of(identity: str) -> str:
    """``zola-left`` to ``zola``: an identity is one flank, since two flanks cannot be matched by stripes."""
    animal, _, side = identity.rpartition("-")
    return animal if side in SIDES else identity


class WholeAnimals(Splitter):
    """No animal is in two parts, with whichever flank; `disjoint-set` would divide the flanks of one."""

    name = "whole-animals"
    val: float = Field(0.2, gt=0, lt=1, description="share of animals that choose the weights")
    test: float = Field(0.3, gt=0, lt=1, description="share of animals that test")

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``."""
        import numpy as np

        animals = sorted({animal_of(identity) for identity in table["identity"].dropna()})
        mixed = np.random.default_rng(seed).permutation(animals)
        test = max(1, round(self.test * len(mixed)))
        val = max(1, round(self.val * len(mixed)))
        part = dict.fromkeys(mixed, "train")
        part |= dict.fromkeys(mixed[:test], "test") | dict.fromkeys(mixed[test : test + val], "val")
        parts = [
            None if who is None else part[animal_of(who)] for who in table["identity"].replace({np.nan: None})
        ]
        return table.with_rows(table.rows.assign(part=parts, role="both"))
