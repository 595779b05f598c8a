"""A Camtrap DP package as it lies on disk: its version and its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

FILE = "datapackage.json"
MISSING = ("NA", "NaN", "nan")
PROFILE = re.compile(r"camtrap-dp/(?P<version>[^/]+)/camtrap-dp-profile\.json")
KNOWN = ("1.0", "1.0.1", "1.0.2")
REQUIRED = {
    "deployments": ("deploymentID",),
    "media": ("mediaID", "deploymentID", "timestamp", "filePath"),
    "observations": ("observationID", "deploymentID", "observationLevel", "observationType"),
}
OPTIONAL = {
    "deployments": (
        "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
        "deploymentEnd", "cameraID", "timestampIssues",
    ),
    "media": ("fileName", "filePublic", "fileMediatype"),
    "observations": (
        "mediaID", "eventID", "eventStart", "eventEnd", "scientificName", "count", "lifeStage", "sex",
        "individualID", "bboxX", "bboxY", "bboxWidth", "bboxHeight", "classificationMethod", "classifiedBy",
        "classificationTimestamp", "classificationProbability", "observationTags",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Package:
    """The tables of a package, all columns as text; those that we read are there, if only as missing.

    Attributes:
        file: ``datapackage.json``.
        version: such as ``1.0.2``.
        deployments: one row for each deployment.
        media: one row for each file.
        observations: one row for each observation.
        individuals: a further table of this name; None where there is none.
        notes: what a reader should know, in sentences.
    """

    file: Path
    version: str
    deployments: pd.DataFrame
    media: pd.DataFrame
    observations: pd.DataFrame
    individuals: pd.DataFrame | None
    notes: tuple[str, ...]


def read_package(path: Path) -> Package:
    """Read a package.

    Args:
        path: its folder, or its ``datapackage.json``.

    Raises:
        UserError: it is none, of a version that is too old, or a table or column is missing.
    """
    from wildreid.data.records import read_json

    file = path / FILE if path.is_dir() else path
    content = read_json(file)
    version = version_of(content)
    if version is None:
        raise UserError(
            "this is no Camtrap DP package: its 'profile' names none",
            where=str(file),
            cure="give the folder that Agouti, Trapper, camtrapdp for R or another tool has exported",
        )
    notes = []
    if version.startswith("0.") or "-" in version:
        raise UserError(
            f"the package is of Camtrap DP {version}; 1.0 is the oldest that is read",
            where=str(file),
            cure="export it again as Camtrap DP 1.0; camtrapdp for R does the same",
        )
    if version not in KNOWN:
        notes.append(
            f"Camtrap DP {version} is newer than {KNOWN[-1]}: what we know of it is read, the rest is kept"
        )
    tables = {name: _table(file, content, name) for name in REQUIRED}
    individuals = _table(file, content, "individuals") if _resource(content, "individuals") else None
    return Package(file, version, **tables, individuals=individuals, notes=tuple(notes))


def version_of(content: Any) -> str | None:
    """The version by the profile's URL; None where it is no Camtrap DP."""
    profile = content.get("profile") if isinstance(content, dict) else None
    match = PROFILE.search(profile) if isinstance(profile, str) else None
    return match["version"] if match else None


def _resource(content: Any, name: str) -> dict[str, Any] | None:
    resources = content.get("resources")
    for one in resources if isinstance(resources, list) else ():
        if isinstance(one, dict) and one.get("name") == name:
            return one
    return None


def _table(file: Path, content: Any, name: str) -> pd.DataFrame:
    """One resource, from its files or from what stands in the package itself."""
    import pandas as pd

    from wildreid.data.records import read_texts

    resource = _resource(content, name)
    if resource is None:
        raise UserError(f"the package has no resource '{name}'", where=str(file), cure="export it again")
    required = REQUIRED.get(name, ())
    if isinstance(resource.get("data"), list):
        rows = _inline(resource["data"], file, name)
    else:
        paths = resource.get("path")
        listed = [paths] if isinstance(paths, str) else paths
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            raise UserError(f"the resource '{name}' names no file", where=str(file))
        parts = [read_texts(_inside(file, one), required=required, missing=MISSING) for one in listed]
        rows = pd.concat(parts, ignore_index=True)
    for column in required:
        if column not in rows:
            raise UserError(
                f"the resource '{name}' has no column '{column}'; it has {', '.join(map(str, rows))}",
                where=str(file),
            )
    absent = [column for column in OPTIONAL.get(name, ()) if column not in rows]
    return rows.assign(**{column: pd.Series(pd.NA, rows.index, "string") for column in absent})


def _inline(data: list[Any], file: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    from wildreid.data.records import said

    if not all(isinstance(row, dict) for row in data):
        raise UserError(f"the data of the resource '{name}' are no list of objects", where=str(file))
    rows = pd.DataFrame.from_records(data)
    return pd.DataFrame({str(column): said(rows[column].map(_text), *MISSING) for column in rows})


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inside(file: Path, path: str) -> Path:
    """A file of the package: never a URL, nor one outside of it."""
    parts = path.replace("\\", "/").split("/")
    if "://" in path or path.startswith(("/", "~")) or ".." in parts:
        raise UserError(
            f"the package's table {path!r} is not a file inside it",
            where=str(file),
            cure="put it beside the package's datapackage.json and name it there",
        )
    return file.parent / path
