"""The union dataset: several data sets as one, each of a species of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializeAsAny

from wildreid.errors import UserError
from wildreid.kinds import Dataset

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.table import Table


class Union(Dataset):
    """Several data sets as one, each a species: one model learns them all, and none is matched to another.

    ``of`` names a data set for each species: ``{bear: {name: table, root: bears}, cow: {name: folder, root:
    cows}}``. Individuals, cameras and encounters get the species before their name, so that bear 7 is not cow 7.
    A data set that has the column ``species`` itself keeps what it says, and an individual's species with it.
    """

    name = "union"
    of: dict[str, SerializeAsAny[Dataset]] = Field(
        min_length=2, description="a data set for each species, by its name"
    )

    def table(self) -> Table:
        """All rows, with ``species``; paths are relative to the folder that holds all roots.

        Raises:
            UserError: as each of its data sets; roots on two drives; a species without a name.
        """
        import pandas as pd

        from wildreid.data.table import Failure, Table

        if not all(name.strip() for name in self.of):
            raise UserError("a species without a name", where="dataset.of")
        tables = {name: one.table() for name, one in self.of.items()}
        try:
            root = os.path.commonpath([table.root for table in tables.values()])
        except ValueError:
            raise UserError(
                "the roots of the data sets are on two drives", where="dataset.of", cure="bring them to one"
            ) from None
        frames: list[pd.DataFrame] = []
        failures: list[Failure] = []
        notes: list[str] = []
        for name, table in tables.items():
            before = os.path.relpath(table.root, root).replace(os.sep, "/")
            prefix = "" if before == "." else f"{before}/"
            frames.append(_named(table.rows, name, prefix))
            failures += [
                Failure(f"{prefix}{one.image}" if one.image else one.image, f"{name}: {one.reason}")
                for one in table.failures
            ]
            notes += [f"{name}: {note}" for note in table.notes]
        return Table.of(pd.concat(frames, ignore_index=True), Path(root), failures).with_notes(notes)


def _named(rows: pd.DataFrame, species: str, prefix: str) -> Any:
    """The rows of one data set, with its species before every name that another might use too."""
    import pandas as pd

    rows = rows.drop(columns="id").assign(image=prefix + rows["image"])
    for column in ("identity", "camera", "encounter", "sequence", "station", "deployment", "event", "source"):
        if column in rows:
            rows[column] = f"{species} " + rows[column].astype("string")
    said = rows.get("species", pd.Series(pd.NA, index=rows.index, dtype="string"))
    rows["species"] = said.fillna(species)
    return rows
