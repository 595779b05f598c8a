"""The table dataset: a CSV or Parquet file that says who is in which photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.data import table


class Table(Dataset):
    """A CSV or Parquet file with a row an annotation: image, identity, and what else is known."""

    name = "table"
    root: Location = Field(description="folder that the image paths are relative to")
    file: str = Field("metadata.csv", description="the table, relative to root; .csv or .parquet")
    columns: dict[str, str] = Field(
        {},
        description="the file's name for image, identity, camera, timestamp, box_left, box_top, box_width, "
        "box_height, viewpoint or part, where it is another: {image: path}",
    )
    dates: str | None = Field(
        None, description="form of the timestamps, such as '%d.%m.%Y %H:%M'; null: ISO 8601 or EXIF's"
    )

    def table(self) -> table.Table:
        """Read the file.

        Raises:
            UserError: no such root or file, a required column is missing, a path leaves the root.
        """
        from wildreid.data.read import read_table

        if not self.root.is_dir():
            raise UserError(
                f"the data set's root {self.root} is not there",
                where="dataset.root",
                cure="mend it in the recipe, or give `dataset.root=FOLDER`",
            )
        return read_table(self.root / self.file, self.root, columns=self.columns, dates=self.dates)
