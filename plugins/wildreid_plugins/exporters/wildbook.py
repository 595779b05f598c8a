"""Wildbook's bulk import."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Exporter
from wildreid_plugins.exporters.photos import copy_photos
from wildreid_plugins.exporters.text import each, write_csv, write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey

MOST = 200
"""Encounters that one file may hold."""
SEX = {"F": "female", "M": "male", "": "unknown"}
LIFE_STAGES = ("adult", "juvenile")
LOAD = """files <- list.files(pattern = "^wildbook_bulk_[0-9]+[.]csv$")
encounters <- do.call(rbind, lapply(files, read.csv, check.names = FALSE))
str(encounters)
"""


class Wildbook(Exporter):
    """Files for Wildbook's bulk import, one row for each encounter; machine identities come as unapproved."""

    name = "wildbook"
    location_id: str = Field(
        "",
        description="the place, exactly as in the Wildbook's menu; without it a private export gives degrees",
    )
    submitter: str = Field("", description="your user name in the Wildbook")
    with_photos: bool = Field(False, description="copy the photos beside, encoded again, without EXIF")

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``wildbook_bulk_001.csv`` and so on, at most 200 encounters each; a sighting is never divided."""
        self._check(survey)
        files = survey.photos.groupby(["event", "individual"], sort=False)["file"].agg(
            lambda own: list(dict.fromkeys(own))
        )
        parts: list[list[dict[str, Any]]] = [[]]
        for _, sighting in survey.encounters.groupby("event", sort=True):
            rows = [self._row(survey, one, files[one.event, one.individual]) for one in each(sighting)]
            if parts[-1] and len(parts[-1]) + len(rows) > MOST:
                parts.append([])
            parts[-1] += rows
        used = {name for part in parts for row in part for name, value in row.items() if value != ""}
        most = max(len(own) for own in files)
        columns = [name for name in _columns(most) if name in used]
        paths = [
            write_csv(
                folder / f"wildbook_bulk_{n:03d}.csv",
                columns,
                [[row.get(name, "") for name in columns] for row in part],
            )
            for n, part in enumerate(parts, 1)
        ]
        photos = copy_photos(survey, folder) if self.with_photos else []
        return [*paths, write_text(folder / "load.R", LOAD), *photos]

    def _check(self, survey: Survey) -> None:
        if not self.location_id and not (
            survey.design.private and survey.deployments[["latitude", "longitude"]].notna().all(axis=None)
        ):
            raise UserError(
                "a Wildbook needs a place for every encounter",
                where="location_id",
                cure="give location_id, as in its menu; or degrees in the deployments and a private export",
            )
        if not survey.encounters["species"].str.fullmatch(r"\S+ \S+").all():
            raise UserError(
                "a Wildbook needs genus and species of every animal",
                where="species",
                cure="give it with `species=…`, such as Ursus arctos",
            )

    def _row(self, survey: Survey, one: Any, files: list[str]) -> dict[str, Any]:
        genus, species = one.species.split()
        place: dict[str, Any] = {"Encounter.locationID": self.location_id}
        if not self.location_id:
            own = survey.deployments.set_index("deployment").loc[one.deployment]
            place = {
                "Encounter.decimalLatitude": own["latitude"],
                "Encounter.decimalLongitude": own["longitude"],
            }
        return {
            **{f"Encounter.mediaAsset{n}": file for n, file in enumerate(files)},
            "Encounter.genus": genus.capitalize(),
            "Encounter.specificEpithet": species.lower(),
            "Encounter.year": one.first.year,
            "Encounter.month": one.first.month,
            "Encounter.day": one.first.day,
            "Encounter.hour": one.first.hour,
            "Encounter.minutes": one.first.minute,
            **place,
            "MarkedIndividual.individualID": one.individual,
            "Encounter.state": "unapproved" if one.method == "machine" else "approved",
            "Encounter.sex": SEX[one.sex],
            "Encounter.lifeStage": one.life_stage if one.life_stage in LIFE_STAGES else "",
            "Encounter.sightingID": re.sub(r"[^A-Za-z0-9_-]", "-", f"enc-{one.event:03d}"),
            "Encounter.submitterID": self.submitter,
        }


def _columns(photos: int) -> list[str]:
    """In the order of the templates."""
    return [
        *(f"Encounter.mediaAsset{n}" for n in range(photos)),
        "Encounter.genus", "Encounter.specificEpithet", "Encounter.year", "Encounter.month", "Encounter.day",
        "Encounter.hour", "Encounter.minutes", "Encounter.locationID", "Encounter.decimalLatitude",
        "Encounter.decimalLongitude", "MarkedIndividual.individualID", "Encounter.state", "Encounter.sex",
        "Encounter.lifeStage", "Encounter.sightingID", "Encounter.submitterID",
    ]  # fmt: skip
