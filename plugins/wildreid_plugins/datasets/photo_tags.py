"""The photo-tags dataset: photos whose keywords or named regions say who is on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from wildreid.data.table import Table


class PhotoTags(Dataset):
    """Photos tagged in digiKam, Lightroom, Bridge or ACDSee: individuals as keywords or as named regions.

    Keywords are read from XMP, in the photo or in a sidecar beside it (``NAME.xmp``, ``NAME.EXT.xmp``). Of
    ``individual|pride A|Bella`` the name is Bella. Each named region is one animal with its box. A photo with
    two names and no regions is a failure, one without a name has an unknown animal.
    """

    name = "photo-tags"
    root: Location = Field(description="folder that holds the photos, at any depth")
    tag: str = Field(
        "individual", min_length=1, description="the keyword above the names: individual|Bella, at any depth"
    )
    flat: tuple[str, ...] = Field(
        (), description="flat keywords that are names, where no keyword is below the tag: [Bella, Cara]"
    )
    pattern: str | None = Field(
        None, description="a regular expression for flat keywords that are names: 'F[0-9]+'"
    )
    regions: tuple[str, ...] | None = Field(
        None,
        description="types of regions whose names are individuals: [Pet]; null: all but Focus and BarCode; "
        "[]: none",
    )
    exif: bool = Field(True, description="read date, time zone and camera serial from the photos")

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}") from None
        return value

    def table(self) -> Table:
        """List the photos and read what is written into them.

        Raises:
            UserError: no such root, or no photo in it.
        """
        import pandas as pd

        from wildreid.data.exif import dates_said, with_exif
        from wildreid.data.files import find_images, nothing_to_read
        from wildreid.data.tags import Tags, tagged

        found = find_images(self.root)
        if not found.images:
            cure = nothing_to_read(found.others) or "correct the data set's root"
            raise UserError("there is no photo here", where=str(self.root), cure=cure)
        rows, dates = pd.DataFrame({"image": found.images}), []
        if self.exif:
            rows = with_exif(rows, self.root)
            dates = dates_said(rows.pop("dated_by"), len(rows))
            rows["camera"] = rows["serial"]
        regions = None if self.regions is None else frozenset(self.regions)
        tags = Tags(self.tag, frozenset(self.flat), self.pattern, regions)
        records = tagged(rows, self.root, tags, others=found.others)
        return records.table(form="photos with keywords and regions").with_notes(dates)
