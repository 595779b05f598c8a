"""Data set ``brown-bear-heads``: BrownBearHeads, a public set of brown bears' heads (CC BY-NC 4.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.data.table import Table


class BrownBearHeads(Dataset):
    """BrownBearHeads (PoseSwin, Zenodo 17822054): heads of 109 bears, with date, camera and given splits.

    Reads the form with one ``metadata.csv`` (path, identity, date, camera, split_…) and, where it lies
    beside it, ``head_keypoints.csv``. Give ``splitter: given`` to use the chosen split.
    """

    name = "brown-bear-heads"
    root: Location = Field(description="folder that holds metadata.csv")
    split: Literal["iid", "ood", "2017", "2018", "2019", "2020", "2021", "2022"] = Field(
        "iid",
        description="the given split that becomes the column part: iid by day, ood by year, or the year that "
        "is left out of training",
    )
    check_files: bool = Field(
        True, description="leave out rows whose image is not there; false: read and split without a pixel"
    )

    def table(self) -> Table:
        """Read the table; no pixels are read.

        Raises:
            UserError: no such root or file, or a column is missing.
        """
        import pandas as pd

        from wildreid.data.read import read_table
        from wildreid.data.table import Failure, Table
        from wildreid.progress import say

        if not self.root.is_dir():
            raise UserError(
                f"the data set's root {self.root} is not there",
                where="dataset.root",
                cure="correct it in the recipe, or give `dataset.root=FOLDER`",
            )
        file = self.root / "metadata.csv"
        given = f"split_{self.split}"
        columns = {"image": "path", "identity": "identity", "timestamp": "date", "part": given}
        table = read_table(file, self.root, columns=columns)
        rows, failures = table.rows, list(table.failures)
        points = self.root / "head_keypoints.csv"
        if points.is_file():
            known = pd.read_csv(points).drop_duplicates("path").set_index("path")
            rows = rows.join(known, on="image")
        reason = pd.Series(pd.NA, index=rows.index, dtype="string")
        if self.check_files:
            there = [(self.root / image).is_file() for image in rows["image"]]
            reason[~pd.Series(there, index=rows.index)] = "the image is not there"
        reason[rows["identity"].str.contains("|", regex=False).fillna(False)] = "named as more than one bear"
        reason[rows["identity"].isna()] = "no identity"
        bad = reason.notna()
        failures += [
            Failure(image, why, row=int(at) + 1)
            for at, image, why in zip(rows.index[bad], rows["image"][bad], reason[bad], strict=True)
        ]
        if bad.all():
            raise UserError(
                f"none of the {len(rows)} rows can be used: {failures[0].reason}", where=str(file)
            )
        used = Table.of(rows[~bad].drop(columns="id"), self.root, failures)
        say(
            f"{self.name}  {len(used) + len(failures)} rows came, {len(used)} are used, "
            f"{len(failures)} left out; {used.individuals} bears, "
            f"{int(used['part'].isna().sum())} rows in no part of {given}"
        )
        return used
