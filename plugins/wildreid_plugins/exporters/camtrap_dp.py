"""Camtrap DP 1.0.2: the exchange standard of camera trapping, with individuals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Exporter
from wildreid_plugins.exporters import camtrap_dp_tables as tables
from wildreid_plugins.exporters.photos import copy_photos
from wildreid_plugins.exporters.text import write_csv, write_text

if TYPE_CHECKING:
    from typing import Any

    from wildreid.population.survey import Survey

HOME = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.2"
LOAD = """library(camtrapdp)
x <- read_camtrapdp("datapackage.json")
# each encounter is there twice, as an event and as the photos of it: count one level alone
events <- subset(observations(x), observationLevel == "event")
print(table(events$individualID))
"""


class CamtrapDP(Exporter):
    """A Camtrap DP 1.0.2 package: each photo's animals, each encounter, and a table of individuals."""

    name = "camtrap-dp"
    package: str = Field("", description="name of the package; wildreid- and the gallery's if not given")
    title: str = Field("", description="its title; the package's name if not given")
    project: str = Field("", description="title of the project; the package's title if not given")
    contact: str = Field("unknown", description="whom to ask, for the list of contributors")
    licence: str = Field("CC0-1.0", description="of the data, as spdx.org abbreviates it")
    media_licence: str = Field("CC0-1.0", description="of the photos")
    sampling: Literal[
        "simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic"
    ] = Field("opportunistic", description="how places were chosen")
    capture: Literal["activityDetection", "timeLapse"] = Field(
        "activityDetection", description="what made the cameras take a photo"
    )
    vernacular: dict[str, str] = Field(
        default_factory=dict, description="English name of each species; readers in R stop without one"
    )
    created: str = Field(
        "", description="time of the package, ISO 8601 with zone; that of the last decision if not given"
    )
    with_photos: bool = Field(False, description="copy the photos into media/, encoded again, without EXIF")

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``datapackage.json``, ``deployments``, ``media``, ``observations``, ``individuals`` and ``load.R``.

        Raises:
            UserError: no zone of time, no degrees, no species; boxes without the sizes of their photos.
        """
        self._check(survey)
        periods = tables.periods(survey)
        paths = [
            write_csv(folder / f"{name}.csv", columns, rows)
            for name, columns, rows in (
                ("deployments", tables.DEPLOYMENTS, tables.deployments(survey, periods)),
                ("media", tables.MEDIA, tables.media(survey, periods, self.capture, shown=self.with_photos)),
                ("observations", tables.OBSERVATIONS, tables.observations(survey, periods)),
                ("individuals", tables.INDIVIDUALS, tables.individuals(survey)),
            )
        ]
        package = json.dumps(self._package(survey, periods), indent=1, ensure_ascii=False)
        paths = [write_text(folder / "datapackage.json", package + "\n"), *paths]
        if self.with_photos:
            (folder / "media").mkdir()
            paths += copy_photos(survey, folder / "media")
        return [*paths, write_text(folder / "load.R", LOAD)]

    def _check(self, survey: Survey) -> None:
        if survey.deployments[["latitude", "longitude"]].isna().any(axis=None):
            raise UserError(
                "Camtrap DP needs latitude and longitude of every deployment",
                where="deployments",
                cure="add these columns; a public export rounds them, to fewer decimals than they come with",
            )
        if (survey.photos["species"] == "").any():
            raise UserError(
                "Camtrap DP needs a species",
                where="species",
                cure="give it with `species=…`, such as Ursus arctos",
            )

    def _package(self, survey: Survey, periods: list[tables.Period]) -> dict[str, Any]:
        name = self.package or "wildreid-" + tables.slug(survey.name)
        title = self.title or name
        places = survey.deployments
        south, north = (float(end) for end in (places["latitude"].min(), places["latitude"].max()))
        west, east = (float(end) for end in (places["longitude"].min(), places["longitude"].max()))
        corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        rounded = None if survey.design.private else survey.design.precision
        precision = {} if rounded is None else {"coordinatePrecision": 10.0**-rounded}
        species = sorted(set(survey.photos["species"]))
        return {
            "resources": [
                *(
                    _resource(one, f"{HOME}/{one}-table-schema.json")
                    for one in ("deployments", "media", "observations")
                ),
                _resource("individuals", tables.INDIVIDUALS_SCHEMA),
            ],
            "profile": f"{HOME}/camtrap-dp-profile.json",
            "name": name,
            "created": self.created or tables.last_decision(survey),
            "title": title,
            "contributors": [{"title": self.contact, "role": "contact"}],
            "licenses": [
                {"name": self.licence, "scope": "data"},
                {"name": self.media_licence, "scope": "media"},
            ],
            "project": {
                "title": self.project or title,
                "samplingDesign": self.sampling,
                "captureMethod": [self.capture],
                "individualAnimals": True,
                "observationLevel": ["media", "event"],
            },
            **precision,
            "spatial": {"type": "Polygon", "coordinates": [corners]},
            "temporal": {
                "start": f"{survey.deployments['start'].min():%Y-%m-%d}",
                "end": f"{survey.deployments['end'].max():%Y-%m-%d}",
            },
            "taxonomic": [
                {
                    "scientificName": one,
                    "taxonRank": "species",
                    "vernacularNames": {"eng": self.vernacular.get(one, one)},
                }
                for one in species
            ],
        }


def _resource(name: str, schema: str | dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }
