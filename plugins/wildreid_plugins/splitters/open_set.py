"""The open-set splitter: some individuals are met in test for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildreid.data.table import Table


class OpenSet(Splitter):
    """Some individuals only in val, others only in test, the rest divided by group."""

    name = "open-set"
    val: float = Field(0.1, gt=0, lt=1, description="share of images that choose the weights")
    test: float = Field(0.2, gt=0, lt=1, description="share of images that test")
    new_val: float = Field(0.05, ge=0, lt=1, description="share of individuals that are in val alone")
    new_test: float = Field(0.1, ge=0, lt=1, description="share of individuals that are in test alone")
    group: str = Field(
        "camera-date", description="what is never divided: camera-date, sequence, day, camera, or a column"
    )

    def asked(self) -> Mapping[str, float]:
        """Shares of images, and of individuals that are new in a part."""
        shares = {"val": self.val, "test": self.test, "new val": self.new_val, "new test": self.new_test}
        return {name: share for name, share in shares.items() if share}

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``."""
        import numpy as np

        from wildreid.data.groups import regroup
        from wildreid_plugins.splitters.shares import TEST, VAL, Pieces, share_out

        table = regroup(table, self.group)
        pieces = Pieces.by(table, "group")
        part = share_out(
            pieces,
            val=self.val,
            test=self.test,
            new={VAL: self.new_val, TEST: self.new_test},
            rng=np.random.default_rng(seed),
        )
        return table.with_rows(table.rows.assign(part=pieces.parts(part), role="both"))
