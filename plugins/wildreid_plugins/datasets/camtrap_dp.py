"""The camtrap-dp dataset: the exchange standard of camera traps, as Agouti, Trapper and GBIF export it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Dataset
from wildreid.option import Location

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.peek import Guess, Peek
    from wildreid.data.table import Table


class CamtrapDP(Dataset):
    """A Camtrap DP package (1.0): individuals, boxes, events and places from its observations and deployments.

    Observations of animals become rows. Where an event has observations of its photos, these are taken, and
    what was said of the event as a whole only fills in its individual; where it has none, the event speaks
    for its photos. Photos with people, and those that are not public, are marked as private.
    """

    name = "camtrap-dp"
    root: Location = Field(description="the package's folder, or its datapackage.json")
    media: Location | None = Field(
        None, description="folder of the photos where they are not in the package: by their name or mediaID"
    )
    videos: Literal["list", "sample"] = Field(
        "list", description="films: failures, or frames of them taken (needs the extra `video`)"
    )
    every: float = Field(1.0, gt=0, description="seconds between the frames that are taken of a film")
    most: int = Field(10, ge=1, le=300, description="frames that are taken of a film, at most, spread evenly")

    @classmethod
    def recognise(cls, *, peek: Peek) -> Guess | None:
        """A datapackage.json whose profile is Camtrap DP's, or a folder with one."""
        from wildreid.data.peek import Guess
        from wildreid.data.records import read_json
        from wildreid_plugins.datasets.camtrap_package import FILE, version_of

        file = peek.path / FILE if FILE in peek.names else peek.path
        if file.name != FILE:
            return None
        version = version_of(read_json(file))
        if version is None:
            return None
        return Guess({"root": str(file.parent)}, f"Camtrap DP {version}")

    def table(self) -> Table:
        """Read the package.

        Raises:
            UserError: no package, one below 1.0, a table or column that is missing.
        """
        from wildreid_plugins.datasets.camtrap_films import Films
        from wildreid_plugins.datasets.camtrap_package import read_package
        from wildreid_plugins.datasets.camtrap_rows import table_of

        films = Films(self.every, self.most) if self.videos == "sample" else None
        return table_of(read_package(self.root), media=self.media, films=films)

    def deployments(self) -> pd.DataFrame:
        """The package's deployments, with their own further columns."""
        from wildreid_plugins.datasets.camtrap_package import read_package

        rows = read_package(self.root).deployments
        named = {
            "deployment": rows["deploymentID"],
            "station": rows["locationID"].fillna(rows["locationName"]),
            "camera": rows["cameraID"].fillna(rows["deploymentID"]),
            "start": rows["deploymentStart"],
            "end": rows["deploymentEnd"],
            "latitude": rows["latitude"],
            "longitude": rows["longitude"],
            "coordinate_uncertainty": rows["coordinateUncertainty"],
        }
        used = ("deploymentID", "locationID", "cameraID", "deploymentStart", "deploymentEnd", "latitude",
                "longitude", "coordinateUncertainty")  # fmt: skip
        further = rows.drop(columns=list(used)).dropna(axis=1, how="all")
        return further.assign(**named)[[*named, *further.columns]]
