"""The time-cutoff splitter: learn from the past, be asked about the future."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from wildreid.data.table import Table


class TimeCutoff(Splitter):
    """Gallery before a date, queries from it on; val is the last time before it.

    What began before the date and went on after it (a night, or a group that undated images hold together)
    is used up to the date alone. Undated images are not used.
    """

    name = "time-cutoff"
    cutoff: date | None = Field(None, description="the first day of test; null: so that test has its share")
    test: float = Field(0.2, gt=0, lt=1, description="share of the images that test, where no date is given")
    val: float = Field(0.1, gt=0, lt=1, description="share of the images before the date that choose")
    group: str = Field(
        "camera-date", description="what is never divided: camera-date, sequence, day, camera, or a column"
    )

    def asked(self) -> Mapping[str, float]:
        """Shares of images; of val, among those before the cut-off."""
        return {} if self.cutoff else {"val": self.val * (1 - self.test), "test": self.test}

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``: gallery for train, both for val, query for test.

        Raises:
            UserError: no image has a date.
        """
        import numpy as np

        from wildreid.data.groups import days, regroup

        table = regroup(table, self.group)
        rows = table.rows
        day = days(rows)
        used = ~np.isnat(day) & rows["identity"].notna().to_numpy()
        if not used.any():
            raise UserError(
                "no image of a known individual has a date, so there is no before and after",
                where="splitter time-cutoff",
                cure="take another splitter, or give the data set its dates",
            )
        began = days(
            rows.assign(timestamp=rows["timestamp"].where(used).groupby(rows["group"]).transform("min"))
        )
        cutoff = np.datetime64(self.cutoff) if self.cutoff else _day_with_share_after(day[used], self.test)
        before = used & (day < cutoff)
        watch = _day_with_share_after(began[before], self.val) if before.any() else cutoff
        part = np.full(len(rows), None, dtype=object)
        part[before & (began < watch)] = "train"
        part[before & (began >= watch)] = "val"
        part[used & (began >= cutoff)] = "test"
        role = np.select([part == "train", part == "test"], ["gallery", "query"], "both")
        return table.with_rows(rows.assign(part=part, role=role))


def _day_with_share_after(day: NDArray[np.datetime64], share: float) -> np.datetime64:
    """The day from which on this share of the images was taken, as nearly as whole days allow."""
    import numpy as np

    distinct, first = np.unique(np.sort(day), return_index=True)
    nearest: np.datetime64 = distinct[np.argmin(np.abs(1 - first / len(day) - share))]
    return nearest
