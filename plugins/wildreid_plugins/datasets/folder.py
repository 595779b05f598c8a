"""The folder dataset: one folder an individual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Unknown
from wildreid.option import Location
from wildreid_plugins.datasets.filmed import Filmed

if TYPE_CHECKING:
    from wildreid.data.table import Table


class Folder(Filmed):
    """One folder an individual, named as it; dates and cameras from EXIF where they are there."""

    name = "folder"
    root: Location = Field(description="folder that holds a folder for each individual")
    unknown: Unknown = None
    exif: bool = Field(True, description="read date, time zone and camera serial from the photos")

    def table(self) -> Table:
        """List the photos.

        Raises:
            UserError: no such root, no photo in its folders, a folder's name that may mean unknown.
        """
        import pandas as pd

        from wildreid.data.exif import dates_said, with_exif
        from wildreid.data.files import find_images, nothing_to_read
        from wildreid.data.names import settled
        from wildreid.data.table import Failure, Table

        found, filmed = self.frames(find_images(self.root))
        loose = ~filmed["event"].str.contains("/")
        beside = [image for image in found.images if "/" not in image]
        beside += filmed["event"][loose].unique().tolist()
        failures = found.others + [Failure(image, "in no individual's folder") for image in beside]
        images, filmed = [image for image in found.images if "/" in image], filmed[~loose]
        if not images and filmed.empty:
            raise UserError(
                "there is no photo in a folder of an individual",
                where=str(self.root),
                cure=nothing_to_read(found.others) or "lay the photos out as ROOT/INDIVIDUAL/PHOTO.jpg",
            )
        rows = pd.DataFrame({"image": pd.Series(images, dtype="string")})
        notes = found.notes
        if self.exif:
            rows = with_exif(rows, self.root)
            notes = notes + dates_said(rows["dated_by"], len(rows))
            rows = rows.drop(columns="dated_by").assign(camera=rows["serial"])
        if len(filmed):
            rows = pd.concat([rows, filmed], ignore_index=True)
        rows["identity"] = rows["image"].str.split("/").str[0]
        rows, told = settled(rows, self.unknown, where=str(self.root))
        return Table.of(rows, self.root, failures).with_notes(notes + told)
