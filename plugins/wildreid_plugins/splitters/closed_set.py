"""The closed-set splitter: everybody who is tested was trained on, in other encounters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wildreid.data.table import Table


class ClosedSet(Splitter):
    """Every individual of val and test is in train too, in other groups; nobody is new."""

    name = "closed-set"
    val: float = Field(0.1, gt=0, lt=1, description="share of images that choose the weights")
    test: float = Field(0.2, gt=0, lt=1, description="share of images that test")
    group: str = Field(
        "camera-date", description="what is never divided: camera-date, sequence, day, camera, or a column"
    )

    def asked(self) -> Mapping[str, float]:
        """Shares of images."""
        return {"val": self.val, "test": self.test}

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``."""
        import numpy as np

        from wildreid.data.groups import regroup
        from wildreid_plugins.splitters.shares import Pieces, close, share_out

        table = regroup(table, self.group)
        pieces = Pieces.by(table, "group")
        part = share_out(pieces, val=self.val, test=self.test, new={}, rng=np.random.default_rng(seed))
        return table.with_rows(table.rows.assign(part=pieces.parts(close(pieces, part)), role="both"))
