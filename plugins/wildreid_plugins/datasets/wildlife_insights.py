"""The wildlife-insights dataset: an export of Wildlife Insights, as a ZIP file or unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.peek import Guess, Peek
    from wildreid.data.table import Table

IMAGES = ("deployment_id", "timestamp")
DEPLOYMENTS = ("deployment_id", "placename", "camera_id", "start_date", "end_date")
NOTHING = ("Unknown", "unknown")
"""Words of age and sex that mean missing."""
_TAKEN = (
    "individual_id", "genus", "species", "age", "sex", "timestamp", "filename", "location", "image_id",
    "deployment_id", "sequence_id",
)  # fmt: skip
_LABELS = ("is_blank", "genus", "species", "common_name", "age", "sex", "individual_id", "identified_by")


class WildlifeInsights(Dataset):
    """An export of Wildlife Insights: images.csv, deployments.csv, and sequences.csv where there is one.

    The photos are downloaded apart, into `media`; none is fetched. Blank images are counted, photos of people
    are marked as private. In a sequence project every image carries the label of its sequence. The form of
    `bounding_boxes` is not documented: the text is kept, and no box is used.
    """

    name = "wildlife-insights"
    root: Location = Field(description="the export's folder or ZIP file")
    media: Location | None = Field(
        None, description="folder of the downloaded photos; null: the export's own folder"
    )
    dates: str | None = Field(
        None, description="form of the timestamps where a spreadsheet has changed it: '%m/%d/%Y %H:%M'"
    )

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A folder or ZIP file with deployments.csv and images*.csv of these columns."""
        from wildreid.data.peek import Guess

        names = _names(peek.path)
        if "deployments.csv" not in {Path(name).name for name in names} or not _chosen(names, "images"):
            return None
        try:
            rows = _read(peek.path, _chosen(names, "images")[0], ())
        except UserError:
            return None
        if not {"deployment_id", "wi_taxon_id", "is_blank"} <= set(rows):
            return None
        return Guess({"root": str(peek.path)}, "an export of Wildlife Insights")

    def table(self) -> Table:
        """Read the export.

        Raises:
            UserError: no such root, a table or column that is missing, dates that could be read in two ways.
        """
        import pandas as pd

        from wildreid.data.records import Records, said

        rows = self._images()
        sites = self._table("deployments", DEPLOYMENTS).drop_duplicates("deployment_id")
        sites = sites.set_index("deployment_id").reindex(rows["deployment_id"]).set_axis(rows.index)
        who = said(rows["individual_id"])
        person = rows["genus"].str.lower().eq("homo") | rows["common_name"].str.contains("human", case=False)
        person = person.fillna(False)
        image = rows["image_id"].fillna(rows["location"]).fillna(rows["filename"])
        machine = rows["identified_by"].str.contains("computer", case=False).fillna(False)
        by = rows["identified_by"].where(who.notna() & ~machine)
        ours = pd.DataFrame(
            {
                "identity": who,
                "camera": sites["camera_id"].fillna(rows["deployment_id"]),
                "station": sites["placename"],
                "deployment": rows["deployment_id"],
                "event": rows["sequence_id"],
                "species": (rows["genus"] + " " + rows["species"]).fillna(rows["genus"]),
                "sex": said(rows["sex"], *NOTHING).str.lower(),
                "life_stage": said(rows["age"], *NOTHING).str.lower(),
                "media": image,
                "method": by.mask(by.notna(), "human").fillna("import").where(who.notna()),
                "decided_by": by,
                "private": image.isin(image[person].dropna()),
                **{
                    name: pd.to_numeric(sites[name], errors="coerce")
                    for name in ("latitude", "longitude")
                    if name in sites
                },
            }
        )
        lines = [f"{file} row {line}" for file, line in zip(rows["file"], rows["line"], strict=True)]
        media = self.media or (self.root if self.root.is_dir() else self.root.parent)
        files = rows["location"].fillna(rows["filename"])  # a place is one photo's; a name may be several's
        records = Records(ours, lines, media, paths=files)
        records.keep(
            rows.drop(columns=["file", "line", "labels", *(name for name in _TAKEN if name in rows)])
        )
        records.count(rows["is_blank"].str.lower().isin(["1", "true", "1.0"]), "blank")
        records.count(person, "human")
        records.fail(rows["labels"] > 1, "the sequence has several labels: " + rows["sequence_id"].fillna(""))
        several = image.groupby(files).transform("nunique") > 1
        records.fail(
            several, "several photos are named so, and nothing tells them apart: " + files.fillna("")
        )
        records.locate(files, media=media, names=[rows["filename"], rows["image_id"]])
        records.date(said(rows["timestamp"]), form=self.dates, where=str(self.root))
        notes = []
        if "bounding_boxes" in rows and rows["bounding_boxes"].notna().any():
            notes.append("the form of bounding_boxes is not documented: no box is used")
        return records.table(form="an export of Wildlife Insights", notes=notes)

    def deployments(self) -> pd.DataFrame:
        """The export's deployments, with their own further columns."""
        rows = self._table("deployments", DEPLOYMENTS)
        ours = {"deployment_id": "deployment", "placename": "station", "camera_id": "camera",
                "start_date": "start", "end_date": "end"}  # fmt: skip
        named = rows.rename(columns=ours)
        return named[[*ours.values(), *(name for name in named if name not in ours.values())]]

    def _images(self) -> pd.DataFrame:
        """The rows of all images*.csv; what they do not say of a label, their sequence says."""
        import pandas as pd

        rows = self._table("images", IMAGES)
        if "filename" not in rows and "location" not in rows:
            raise UserError(
                f"images.csv has neither the column 'filename' nor 'location'; it has {', '.join(map(str, rows))}",
                where=str(self.root),
            )
        further = ("filename", "location", "image_id", "sequence_id", *_LABELS)
        for name in further:
            if name not in rows:
                rows[name] = pd.Series(pd.NA, rows.index, "string")
        rows["labels"] = 1
        if not _chosen(_names(self.root), "sequences"):
            return rows
        labels = self._table("sequences", ("sequence_id",))
        many = rows["sequence_id"].map(labels["sequence_id"].value_counts()).fillna(1)
        silent = rows[[name for name in _LABELS if name != "is_blank"]].isna().all(axis=1)
        rows["labels"] = many.where(silent, 1)
        told = labels.drop_duplicates("sequence_id", keep=False).set_index("sequence_id")
        for name in _LABELS:
            if name in told:
                rows.loc[silent, name] = rows.loc[silent, "sequence_id"].map(told[name])
        return rows

    def _table(self, name: str, required: tuple[str, ...]) -> pd.DataFrame:
        """One of the export's tables, with the file and line of each row."""
        import pandas as pd

        chosen = _chosen(_names(self.root), name)
        if not chosen:
            raise UserError(
                f"the export has no {name}.csv",
                where=str(self.root),
                cure="give the folder or ZIP file that Wildlife Insights has sent, as it is",
            )
        parts = []
        for file in chosen:
            part = _read(self.root, file, required)
            parts.append(part.assign(file=Path(file).name, line=range(1, len(part) + 1)))
        rows: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return rows if name == "images" else rows.drop(columns=["file", "line"])


def _names(root: Path) -> list[str]:
    """The CSV files of an export, in its folder or ZIP file."""
    if root.is_dir():
        return sorted(file.name for file in root.iterdir() if file.suffix.lower() == ".csv")
    if root.suffix.lower() != ".zip" or not zipfile.is_zipfile(root):
        return []
    with zipfile.ZipFile(root) as archive:
        return sorted(name for name in archive.namelist() if name.lower().endswith(".csv"))


def _chosen(names: list[str], table: str) -> list[str]:
    """The files of a table: ``images.csv``, or ``images_2000001.csv`` of each project."""
    return [name for name in names if Path(name).stem == table or Path(name).stem.startswith(f"{table}_")]


def _read(root: Path, name: str, required: tuple[str, ...]) -> pd.DataFrame:
    from wildreid.data.records import read_texts

    if root.is_dir():
        return read_texts(root / name, required=required)
    return read_texts(Path(name), required=required, archive=root)
