"""The megadetector dataset: boxes that a detector has found, in any of the five forms that detectors write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from wildreid.data.peek import Guess, Peek
    from wildreid.data.records import Records
    from wildreid.data.table import Table
    from wildreid_plugins.datasets.megadetector_dialects import Detections

PRIVATE = ("person", "human", "people", "vehicle")
"""Classes whose photos are private, and the confidence from which on."""
PRIVATE_FROM = 0.1
NO_FRAME = "a film, and the detector does not say which frame"


class MegaDetector(Dataset):
    """Photos with the boxes of MegaDetector, SpeciesNet, AddaxAI or PytorchWildlife; who is on them from elsewhere.

    The form is told by the file's structure: of MegaDetector (also as SpeciesNet, AddaxAI and Timelapse write
    it), of PytorchWildlife (three), and of the megadetector command. PytorchWildlife's boxes are turned where
    a photo is stored on its side. A photo that shows a person or a vehicle is marked as private.
    """

    name = "megadetector"
    root: Location = Field(description="folder that the photos' paths are relative to")
    file: str = Field("megadetector.json", description="the detector's JSON file, relative to root")
    confidence: float = Field(0.2, ge=0, le=1, description="the least confidence of a detection")
    keep: list[str] = Field(["animal"], description="classes of detections, by name")
    species_confidence: float = Field(
        0.5, ge=0, le=1, description="the least confidence at which a classifier's species is taken over"
    )
    identity: Literal["none", "folder"] = Field(
        "none", description="folder: a photo's folder is its individual; none: nobody is known"
    )
    names: str | None = Field(
        None, description="a CSV file, relative to root, with image and identity: who is on which photo"
    )
    strip_prefix: str = Field("", description="what to take off the front of the photos' paths")
    exif: bool = Field(True, description="read date, time zone and camera serial from the photos")
    videos: Literal["list", "sample"] = Field(
        "list",
        description="films: failures, or exactly the frames that have boxes taken (needs the extra `video`)",
    )
    film_times: Literal["utc", "local"] | None = Field(
        None, description="the clock that wrote the date into films whose names hold none; as in folder"
    )

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A JSON file of one of the five forms, with paths of photos in it."""
        from wildreid.data.peek import Guess
        from wildreid_plugins.datasets.megadetector_dialects import dialect_of

        if not peek.content:
            return None
        try:
            dialect_of(peek.content)
        except UserError:
            return None
        found = _detections(peek.content, peek.path, species_confidence=1.0)
        files = [file for file in found.file if file is not None]
        if not files or all(category is None for category in found.category):
            return None
        folders = {file.replace("\\", "/").rpartition("/")[0] for file in files}
        fields: dict[str, Any] = {"root": str(peek.root_of(files)), "file": str(peek.path)}
        what = f"detections of {found.dialect.what} ({found.dialect.name})"
        if len(folders) > 1:
            return Guess({**fields, "identity": "folder"}, f"{what}, each folder as one individual")
        return Guess(fields, what)

    def table(self) -> Table:
        """Read the file, and the photos' headers.

        Raises:
            UserError: no such root or file, none of the forms, numbers that contradict the form.
        """
        import pandas as pd

        from wildreid.data.frames import is_film
        from wildreid.data.records import FILM, Records, read_json

        file = self.root / self.file
        found = _detections(read_json(file), file, species_confidence=self.species_confidence)
        rows = pd.DataFrame(
            {
                "identity": pd.Series(pd.NA, range(len(found.file)), "string"),
                "species": pd.Series(found.species, dtype="string"),
                "detector_confidence": pd.Series(found.confidence, dtype="float64"),
                "category": pd.Series(found.category, dtype="string"),
            }
        )
        files = pd.Series(found.file, dtype="string")
        records = Records(rows, found.key, self.root, paths=files)
        sure = rows["detector_confidence"]
        people = rows["category"].str.lower().isin(PRIVATE) & (sure >= PRIVATE_FROM)
        records.rows["private"] = files.isin(files[people]) & files.notna()
        wrong = pd.Series(found.reason, dtype="string")
        records.fail(wrong.notna(), wrong)
        filmed = pd.Series(found.frame, dtype="object").notna()
        if self.videos == "list":
            records.fail(filmed, FILM)
        records.count(rows["category"].isna(), "photos in which nothing was found")
        records.count(~rows["category"].isin(self.keep), rows["category"].fillna("").to_list())
        records.count(sure < self.confidence, f"detections below {self.confidence:g}")
        records.locate(files, strip_prefix=self.strip_prefix, films=self.videos == "sample")
        if self.videos == "sample":
            records.fail(records.rows["image"].map(is_film, na_action="ignore") & ~filmed, NO_FRAME)
            records.frames(found.frame, times=self.film_times)
        relative = found.dialect.relative
        records.box(found.boxes(), relative=relative, corners=not relative, stored=found.dialect.stored)
        notes = self._who(records, files)
        if self.exif:
            records.exif()
        if found.threshold is not None and found.threshold != self.confidence:
            notes.append(
                f"the detector advises a threshold of {found.threshold:g}; {self.confidence:g} is used"
            )
        return records.table(form=f"{found.dialect.what} ({found.dialect.name})", notes=notes)

    def _who(self, records: Records, files: pd.Series[Any]) -> list[str]:
        """Set the identities, of photos with one animal alone: of several, none can be told to be the one."""
        import pandas as pd

        from wildreid.data.frames import films_of

        image = records.rows["image"]
        if self.names is not None:
            names = self._names()
            path = files.str.replace("\\", "/", regex=False)
            who = image.map(names).fillna(path.map(names)).astype("string")
        elif self.identity == "folder":
            file = films_of(image).fillna(image)  # a film is no individual's folder
            who = file.str.extract(r"([^/]+)/[^/]+$", expand=False).astype("string")
        else:
            return []
        several = image.where(pd.Series(records.open)).duplicated(keep=False) & image.notna() & records.open
        records.rows["identity"] = known = who.mask(several)
        records.rows["method"] = pd.Series("import", image.index, "string").where(known.notna())
        lost = int((several & who.notna()).sum())
        if not lost:
            return []
        return [f"{lost} animals share a photo with another: which of them is the named one is not known"]

    def _names(self) -> dict[str, str]:
        """Individuals by photo, from the table.

        Raises:
            UserError: it cannot be read, lacks a column, or names two individuals for one photo.
        """
        from wildreid.data.records import read_texts

        file = self.root / str(self.names)
        rows = read_texts(file, required=("image", "identity")).dropna(subset=["image", "identity"])
        rows = rows.assign(image=rows["image"].str.replace("\\", "/", regex=False))
        rows = rows.drop_duplicates(["image", "identity"])
        twice = rows["image"].duplicated()
        if twice.any():
            raise UserError(
                f"the table names two individuals for {rows['image'][twice].iloc[0]!r}",
                where=str(file),
                cure="name one; two animals of one photo need boxes, in a table of their own",
            )
        return dict(zip(rows["image"], rows["identity"], strict=True))


def _detections(content: Any, file: Path, *, species_confidence: float) -> Detections:
    from wildreid_plugins.datasets.megadetector_dialects import detections

    try:
        return detections(content, species_confidence=species_confidence)
    except UserError as error:
        raise UserError(error.what, where=str(file), cure=error.cure) from None
