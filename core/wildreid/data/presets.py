"""Tables as other programs and collections write them: what the columns of each mean, and which tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wildreid.data.columns import is_table
from wildreid.data.preset import Asked as Asked
from wildreid.data.preset import Preset
from wildreid.data.records import Records, said
from wildreid.data.volunteers import Votes as Votes
from wildreid.data.volunteers import agreed
from wildreid.errors import UserError


def recognised(columns: Iterable[str]) -> str | None:
    """The preset that a table's columns tell of, None where none does, or where they are ours already."""
    there = set(columns)
    if "image" in there:
        return None
    return next((name for name, preset in PRESETS.items() if preset.told_by <= there), None)


def _sightings(records: Records, asked: Asked) -> Sequence[str]:
    """TrapTagger: one animal a row, with its box in shares of the photo."""
    several = records.rows["identity"].str.contains("|", regex=False)
    told = records.rows["identity"]
    records.fail(
        several, [f"several animals in one row, so export it at the Sighting level: {who}" for who in told]
    )
    if "viewpoint" in records.rows:
        view = records.rows["viewpoint"]
        records.rows["viewpoint"] = view.mask(view == "ambiguous")
    _boxes(records, ("Left", "Top", "Right", "Bottom"), corners=True)
    return ()


def _joined_path(rows: pd.DataFrame, file: Path, asked: Asked) -> pd.DataFrame:
    """Timelapse: folder and file stand in two columns, and so may date and time."""
    folder = said(rows["RelativePath"]).fillna("") if "RelativePath" in rows else ""
    path = folder + "/" + rows["File"].fillna("")
    rows = rows.assign(image=path.str.replace("\\", "/", regex=False).str.lstrip("/"))
    if "DateTime" not in rows and {"Date", "Time"} <= set(rows.columns):
        when = pd.to_datetime(rows["Date"] + " " + rows["Time"], format="%d-%b-%Y %H:%M:%S", errors="coerce")
        rows["DateTime"] = when.dt.strftime("%Y-%m-%d %H:%M:%S").astype("string")
        rows["DateTime"] = rows["DateTime"].fillna(rows["Date"] + " " + rows["Time"])  # refused with its row
    return rows


def _not_deleted(records: Records, asked: Asked) -> Sequence[str]:
    if "DeleteFlag" in records.rows:
        flag = records.rows["DeleteFlag"].str.lower()
        records.count(flag.eq("true"), "marked for deletion")
    return ()


def _with_files(rows: pd.DataFrame, file: Path, asked: Asked) -> pd.DataFrame:
    """AddaxAI: what was detected, joined to the table of the files that lies beside it."""
    from wildreid.data.rows import read_rows

    if "relative_path" in rows:
        return rows
    beside = {
        other: table
        for other in sorted(file.parent.iterdir())
        if is_table(other) and other != file
        if {"file_id", "relative_path"} <= set((table := read_rows(other)[0]).columns)
    }
    if "file_id" not in rows or len(beside) != 1:
        raise UserError(
            f"{len(beside)} tables beside this one have the columns file_id and relative_path",
            where=str(file),
            cure="put the exported table of files, and no other, beside the one of detections",
        )
    (files,) = beside.values()
    files = files.astype("string").drop_duplicates("file_id").set_index("file_id")
    own = [name for name in files if name not in rows]
    return rows.join(files[own], on="file_id")


def _detections(records: Records, asked: Asked) -> Sequence[str]:
    """AddaxAI: animals are rows; a person or a vehicle makes the whole frame private."""
    rows = records.rows
    if "detection_category" in rows:
        kind = said(rows["detection_category"]).str.lower()
        animal = (kind == "animal").fillna(False)
        people = set(rows["image"][kind.isin(["person", "human", "vehicle"])].dropna())
        records.rows["private"] = rows["image"].isin(people)
        records.count(~animal, kind.fillna("no category").tolist())
    _boxes(records, ("bbox_x", "bbox_y", "bbox_width", "bbox_height"), corners=False)
    return ()


def _boxes(records: Records, columns: tuple[str, str, str, str], *, corners: bool) -> None:
    if set(columns) <= set(records.rows.columns):
        texts = records.rows[list(columns)]
        values = (
            texts.apply(pd.to_numeric, errors="coerce").astype("Float64").to_numpy(float, na_value=np.nan)
        )
        records.fail((texts.notna() & np.isnan(values)).any(axis=1), "a side of the box is not a number")
        records.box(values, relative=True, corners=corners)


def _of_volunteers(rows: pd.DataFrame, file: Path, asked: Asked) -> pd.DataFrame:
    return agreed(rows, file, asked.votes, key=asked.columns.get("image"), unknown=tuple(asked.unknown or ()))


def _counted(records: Records, asked: Asked) -> Sequence[str]:
    """Zooniverse: the answers that are no photo of their own, and the photos without agreement."""
    rows = records.rows
    records.count(rows["_more"].notna(), rows["_more"].tolist())
    records.rows = rows.drop(columns=["_wrong", "_more"])
    unsure = int((records.open & rows["identity"].isna().to_numpy()).sum())
    least, share = asked.votes.least, asked.votes.share
    told = f"photos without a name: fewer than {least} volunteers, or than {share:.0%} of them, said the same"
    return [f"{told}: {unsure}"] if unsure else []


def _shared_out(records: Records, asked: Asked) -> Sequence[str]:
    """AnimalCLEF and WildlifeReID-10k: parts and roles, and the data sets that are wanted."""
    rows = records.rows
    if asked.datasets:
        there: list[str] = rows["dataset"].dropna().unique().tolist() if "dataset" in rows else []
        for name in asked.datasets:
            if name not in there:
                raise UserError(
                    f"there is no data set '{name}' in the table; there are: {', '.join(sorted(there))}",
                    where="dataset.datasets",
                )
        records.count(~rows["dataset"].isin(asked.datasets), "of another data set")
    if "split" in rows:
        split = said(rows["split"]).str.lower()
        parts = {"database": "train", "query": "test", "train": "train", "val": "val", "test": "test"}
        records.fail(
            split.notna() & ~split.isin(parts), [f"the split is an unknown word: {word}" for word in split]
        )
        records.rows["part"] = split.map(parts).astype("string")
        if split.isin(["database", "query"]).any():
            records.rows["role"] = split.map({"database": "gallery", "query": "query"}).astype("string")
    return ()


_CLEF = {"image": "path", "identity": "identity", "timestamp": "date", "viewpoint": "orientation"}

PRESETS: dict[str, Preset] = {
    "traptagger": Preset(
        "a TrapTagger export",
        frozenset({"File", "Individuals"}),
        {
            "image": "File", "identity": "Individuals", "timestamp": "Timestamp", "viewpoint": "Flank",
            "station": "Site Name", "camera": "Camera Name", "event": "Cluster ID", "species": "Species",
            "latitude": "Latitude", "longitude": "Longitude", "detector_confidence": "Score",
        },
        missing=("None",),
        finish=_sightings,
    ),
    "timelapse": Preset(
        "a Timelapse export",
        frozenset({"File", "RelativePath", "DeleteFlag"}),
        {"image": "image", "identity": "Individual", "timestamp": "DateTime", "species": "Species"},
        rows=_joined_path,
        finish=_not_deleted,
        notes=("Timelapse also exports Camtrap DP, which says more: deployments, time zones, boxes",),
    ),
    "addaxai": Preset(
        "an AddaxAI export",
        frozenset({"file_id", "bbox_x", "bbox_y", "bbox_width", "bbox_height"}),
        {
            "image": "relative_path", "timestamp": "datetime", "event": "event_id",
            "deployment": "deployment_id", "camera": "deployment_id", "detector_confidence": "confidence",
        },
        rows=_with_files,
        finish=_detections,
    ),
    "zooniverse": Preset(
        "a Zooniverse classification export",
        frozenset({"classification_id", "annotations", "subject_data"}),
        {"image": "image", "identity": "identity"},
        rows=_of_volunteers,
        finish=_counted,
        remade=True,
    ),
    "wildlife-reid-10k": Preset(
        "the table of WildlifeReID-10k",
        frozenset({"identity", "path", "orientation", "species", "split", "dataset", "cluster_id"}),
        {**_CLEF, "event": "cluster_id"},
        missing=("unknown",),
        finish=_shared_out,
    ),
    "animalclef": Preset(
        "an AnimalCLEF table",
        frozenset({"image_id", "identity", "path", "orientation", "species", "split", "dataset"}),
        _CLEF,
        finish=_shared_out,
    ),
    "brown-bear-heads": Preset(
        "the table of BrownBearHeads",
        frozenset({"identity", "path", "split_iid", "split_ood"}),
        {"image": "path", "identity": "identity", "timestamp": "date", "camera": "camera", "part": "split_iid"},
        missing=("unknown",),
    ),
}  # fmt: skip
"""The presets by name; where two fit a table's columns, the first."""
