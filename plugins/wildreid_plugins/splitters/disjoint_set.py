"""The disjoint-set splitter: nobody who is tested was ever trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildreid.data.table import Table


class DisjointSet(Splitter):
    """Train, val and test share no individual."""

    name = "disjoint-set"
    val: float = Field(0.1, gt=0, lt=1, description="share of images that choose the weights")
    test: float = Field(0.2, gt=0, lt=1, description="share of images that test")

    def asked(self) -> Mapping[str, float]:
        """Shares of images."""
        return {"val": self.val, "test": self.test}

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``."""
        import numpy as np

        from wildreid_plugins.splitters.shares import Pieces, share_individuals

        part = share_individuals(
            Pieces.by(table, "encounter"), val=self.val, test=self.test, rng=np.random.default_rng(seed)
        )
        named = Pieces.by(table, "identity").parts(part)
        return table.with_rows(table.rows.assign(part=named, role="both"))
