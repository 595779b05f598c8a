"""The given splitter: the parts that came with the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Splitter
from wildreid.option import Location

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.table import Table


class Given(Splitter):
    """The parts that came with the data, from a column or from lists of images."""

    name = "given"
    column: str = Field("part", description="the column that names the part, where there are no lists")
    words: dict[str, Literal["train", "val", "test"] | None] = Field(
        {},
        description="what other words the column has for train, val and test, and null for rows in no part: "
        "{seen: train, unseen: test, spare: null}",
    )
    train: Location | None = Field(None, description="a text file of train's images, one path on each line")
    val: Location | None = Field(None, description="a text file of val's images, one path on each line")
    test: Location | None = Field(None, description="a text file of test's images, one path on each line")
    val_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of train's images to take as val, by group; 0: val came with the data",
    )
    accept_leaks: bool = Field(
        False, description="use it even where it divides groups; every output is then stamped"
    )

    @property
    def leaky(self) -> bool:  # type: ignore[override]
        """Whether a split that divides groups is used all the same."""
        return self.accept_leaks

    def split(self, *, table: Table, seed: int) -> Table:
        """Add ``part`` and ``role``.

        Raises:
            UserError: no such column, a word in it that is no part, no such list, a list that names no
                image of the table.
        """
        lists = {part: path for part in ("train", "val", "test") if (path := getattr(self, part))}
        part = self._from_lists(table, lists) if lists else self._from_column(table)
        if self.val_share:
            part = self._with_val(table, part, seed)
        role = table["role"].fillna("both") if "role" in table.rows else "both"
        return table.with_rows(table.rows.assign(part=part, role=role))

    def _from_column(self, table: Table) -> pd.Series[str]:
        from wildreid.data.columns import check_parts

        if self.column not in table.rows:
            raise UserError(
                f"the table has no column '{self.column}' to take the split from; "
                f"it has {', '.join(table.rows.columns)}",
                where="splitter.column",
                cure="name the column, or give lists as train, val and test",
            )
        return check_parts(
            table[self.column],
            self.words,
            where=f"splitter.column '{self.column}'",
            cure="say in 'words' what they mean, such as {seen: train, spare: null}, or leave cells empty",
        )

    def _from_lists(self, table: Table, lists: dict[str, Location]) -> pd.Series[str]:
        import pandas as pd

        part = pd.Series(pd.NA, index=table.rows.index, dtype="string")
        for name, path in lists.items():
            try:
                named = {
                    line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
                }
            except OSError as error:
                raise UserError(
                    f"the list of {name} images cannot be read: {error.strerror}", where=str(path)
                ) from None
            found = table["image"].isin(named) | table["id"].isin(named)
            if not found.any():
                raise UserError(
                    f"none of the {len(named)} images listed is in the table",
                    where=str(path),
                    cure="list paths relative to the data set's root, one on each line",
                )
            again = found & part.notna()
            if again.any():
                raise UserError(
                    f"{int(again.sum())} images are listed for two parts, such as {table['image'][again].iloc[0]}",
                    where=str(path),
                    cure="list each image once",
                )
            part[found] = name
        return part

    def _with_val(self, table: Table, part: pd.Series[str], seed: int) -> pd.Series[str]:
        import numpy as np

        from wildreid_plugins.splitters.shares import VAL, Pieces, share_out

        train = (part == "train").fillna(False)
        mine = table.with_rows(table.rows[train])
        pieces = Pieces.by(mine, "group")
        shared = share_out(
            pieces, val=self.val_share, test=0.0, new={VAL: 0.0}, rng=np.random.default_rng(seed)
        )
        part = part.copy()
        part[train] = pieces.parts(shared).to_numpy()
        return part
