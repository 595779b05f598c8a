"""The folder dataset: one folder an individual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.data.table import Table


class Folder(Dataset):
    """One folder an individual, named as it; dates and cameras from EXIF where they are there."""

    name = "folder"
    root: Location = Field(description="folder that holds a folder for each individual")
    exif: bool = Field(True, description="read date, time zone and camera serial from the photos")

    def table(self) -> Table:
        """List the photos.

        Raises:
            UserError: no such root, or no photo in its folders.
        """
        import pandas as pd

        from wildreid.data.exif import dates_said, with_exif
        from wildreid.data.files import find_images, nothing_to_read
        from wildreid.data.table import Failure, Table

        found = find_images(self.root)
        beside = [image for image in found.images if "/" not in image]
        failures = found.others + [Failure(image, "in no individual's folder") for image in beside]
        images = [image for image in found.images if "/" in image]
        if not images:
            raise UserError(
                "there is no photo in a folder of an individual",
                where=str(self.root),
                cure=nothing_to_read(found.others) or "lay the photos out as ROOT/INDIVIDUAL/PHOTO.jpg",
            )
        rows = pd.DataFrame({"image": images, "identity": [image.split("/")[0] for image in images]})
        notes = found.notes
        if self.exif:
            rows = with_exif(rows, self.root)
            notes = notes + dates_said(rows["dated_by"], len(rows))
            rows = rows.drop(columns="dated_by").assign(camera=rows["serial"])
        return Table.of(rows, self.root, failures).with_notes(notes)
