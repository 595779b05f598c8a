"""Data sets ``bearid`` and ``bearid-xml``: photos and chips that the BearID Project gives on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from wildreid.data.table import Failure, Table


ALIASES = {"bc_jacque": "bc_jaque"}
"""Labels that are spelled otherwise in one of BearID's files, and how its images table spells them."""


class Files(Dataset):
    """What both of BearID's forms have in common."""

    root: Location = Field(description="folder that holds the photos, in folders ORIGIN/SOURCE/LABEL")
    individuals: str | None = Field(
        None, description="table of individuals, relative to root: name, sex, age and more are joined"
    )
    aliases: dict[str, str] = Field(
        ALIASES, description="labels that are spelled otherwise in one of the files: {wrong: right}"
    )
    check_files: bool = Field(
        True,
        description="leave out rows whose photo is not there; false: read, split and audit without a pixel",
    )
    exif: bool = Field(
        True, description="read camera, and dates that are not known, from the photos where they are there"
    )

    def _finish(self, rows: pd.DataFrame, failures: list[Failure], notes: list[str]) -> Table:
        """Find the photos, read their EXIF, join the individuals, and say how many rows came and stayed."""
        from wildreid.data.table import Table
        from wildreid.progress import say

        from .records import once, read_individuals, with_individuals

        came = len(rows) + len(failures)
        if self.check_files:
            rows = self._found(rows, failures)
        if self.individuals is not None:
            known = read_individuals(self.root / self.individuals, self.aliases)
            rows, more = with_individuals(rows, known, self.aliases)
            notes = [*notes, *more]
        else:
            rows = rows.assign(identity=rows["identity"].replace(self.aliases))
        rows, root = self._images(once(rows, failures), failures)
        table = Table.of(rows.drop(columns="row"), root, failures)
        say(
            f"{self.name}  {came} rows came, {len(table)} are used, {came - len(table)} left out; "
            f"{table.individuals} bears, {int(table['timestamp'].isna().sum())} images undated"
        )
        for note in notes:
            say(f"{self.name}  {note}")
        return table

    def _images(self, rows: pd.DataFrame, failures: list[Failure]) -> tuple[pd.DataFrame, Path]:
        """The rows of the images to be used, and the folder that these are relative to."""
        return rows, self.root

    def _found(self, rows: pd.DataFrame, failures: list[Failure]) -> pd.DataFrame:
        import pandas as pd

        from wildreid.data.exif import with_exif
        from wildreid.data.table import Failure

        from .photos import Photos

        photos = Photos(self.root)
        at = rows["image"].map(photos.find)
        gone = at.isna()
        failures += [
            Failure(image, "the photo is not there", row=int(row))
            for image, row in zip(rows["image"][gone], rows["row"][gone], strict=True)
        ]
        if gone.all():
            raise UserError(
                f"none of the {len(rows)} photos is there, such as {rows['image'].iloc[0]}"
                if len(rows)
                else "no row can be used",
                where=str(self.root),
                cure="point dataset.root at the folder that holds brooksFalls and britishColumbia, or give "
                "`dataset.check_files=false` to look at the table alone",
            )
        rows = rows.assign(image=at)[~gone].reset_index(drop=True)
        if not self.exif:
            return rows
        originals = rows["image"]
        if "original" in rows:  # a chip carries no EXIF
            originals = rows["original"].fillna(originals).map(photos.find)
        said = with_exif(pd.DataFrame({"image": originals.fillna("")}), self.root)
        camera = said[["make", "model", "serial"]].fillna("").agg(" ".join, axis=1).str.split().str.join(" ")
        return rows.assign(
            timestamp=rows["timestamp"].fillna(said["timestamp"]),
            utc_offset=said["utc_offset"].where(
                rows["timestamp"].isna() | (rows["timestamp"] == said["timestamp"])
            ),
            camera=camera.mask(said["model"].isna()),
        )


class BearID(Files):
    """BearID's photos by its images table, or by its folders alone.

    The date in the images table comes before the photo's own. There is no column of cameras: make, model
    and serial number from EXIF stand for one; where they are missing the source folder does.
    """

    name = "bearid"
    images: str | None = Field(
        "images_info_dates.csv",
        description="images table, relative to root; null: the photos as they lie in folders",
    )

    def table(self) -> Table:
        """Read the table; no pixels are read.

        Raises:
            UserError: no such root or table, a column is missing, or no photo is there.
        """
        from .photos import Photos
        from .records import folders, read_images

        _there(self.root)
        if self.images is not None:
            rows, notes = read_images(self.root / self.images)
            return self._finish(rows, [], notes)
        return self._finish(*folders(Photos(self.root).files), [])


class BearIDXML(Files):
    """BearID's photos or chips by the XML files of dlib's imglab, with boxes and points of the face.

    Chips carry no date: it comes from the images table by the name of the photo that a chip was cut from,
    else from that photo's EXIF. The files given as train, val and test set the column ``part``, for the
    splitter ``given``.
    """

    name = "bearid-xml"
    files: dict[Literal["train", "val", "test", "all"], str] = Field(
        {"train": "chips_train.xml", "val": "chips_val.xml", "test": "chips_test.xml"},
        min_length=1,
        description="XML files by their part, relative to root; all: no part is given",
    )
    images: str | None = Field(None, description="images table for the dates, relative to root")
    align: Literal["none", "eyes"] = Field(
        "none",
        description="eyes: cut upright faces with the eyes at fixed places into the cache, as BearID does; "
        "none: as the article does",
    )
    chip: int = Field(300, ge=64, le=1024, description="pixels a side of aligned faces")

    def table(self) -> Table:
        """Read the files; pixels are read only to align faces that are not in the cache yet.

        Raises:
            UserError: no such root or file, a file that is no imglab XML, or no photo is there.
        """
        from .imglab import read_annotations
        from .records import dates

        _there(self.root)
        rows, failures = read_annotations({part: self.root / file for part, file in self.files.items()})
        notes = []
        if self.images is not None:
            rows, undated = dates(rows, self.root / self.images)
            if undated:
                notes.append(f"{undated} rows are not in the images table, which would have their dates")
        return self._finish(rows, failures, notes)

    def _images(self, rows: pd.DataFrame, failures: list[Failure]) -> tuple[pd.DataFrame, Path]:
        if self.check_files:
            from .imglab import POINTS
            from .upright import upright

            rows = upright(rows, self.root, POINTS)
        if self.align == "none":
            return rows, self.root
        from .aligned import align

        rows, folder, unaligned = align(rows, self.root, size=self.chip)
        failures += unaligned
        return rows, folder


def _there(root: Path) -> None:
    if not root.is_dir():
        raise UserError(
            f"the data set's root {root} is not there",
            where="dataset.root",
            cure="correct it in the recipe, give `dataset.root=FOLDER`, or set WILDREID_BEARID",
        )
