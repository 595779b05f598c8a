"""The random splitter: leaks by design, to show by how much it flatters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildreid.data.table import Table


class Random(Splitter):
    """Each image by chance: bursts end up on both sides. Only to show what leaks; every output is stamped."""

    name = "random"
    leaky = True
    val: float = Field(0.1, gt=0, lt=1, description="share of images that choose the weights")
    test: float = Field(0.2, gt=0, lt=1, description="share of images that test")

    def asked(self) -> Mapping[str, float]:
        """Shares of images."""
        return {"val": self.val, "test": self.test}

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``."""
        import numpy as np
        import pandas as pd

        labelled = np.flatnonzero(table["identity"].notna())
        drawn = np.random.default_rng(seed).permutation(labelled[np.argsort(table["id"].iloc[labelled])])
        bounds = np.round(np.cumsum([self.val, self.test]) * len(labelled)).astype(int)
        val, test, train = np.split(drawn, bounds)
        part = pd.Series(pd.NA, index=table.rows.index, dtype="string")
        for name, rows in (("train", train), ("val", val), ("test", test)):
            part.iloc[rows] = name
        return table.with_rows(table.rows.assign(part=part, role="both"))
