"""Plain tables, for spreadsheets and every other program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.kinds import Exporter
from wildreid_plugins.exporters.text import MOMENT, each, instant, number, write_csv, write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey

SEX = {"F": "female", "M": "male", "": ""}
LOAD = """tables <- c("sightings", "individuals", "effort", "histories")
survey <- lapply(setNames(paste0(tables, ".csv"), tables), read.csv, check.names = FALSE)
str(survey)
"""


class Csv(Exporter):
    """Plain tables: sightings, individuals, effort and capture histories."""

    name = "csv"
    spreadsheet: bool = Field(
        False, description="for Excel: a byte order mark, and cells that would be formulas made harmless"
    )

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``sightings.csv``, ``individuals.csv``, ``effort.csv``, ``histories.csv`` and ``load.R``."""
        names = dict(zip(survey.individuals["code"], survey.individuals["individual"], strict=True))
        sightings = [
            (
                one.individual, one.species, SEX[one.sex], one.station, one.camera, f"{one.first:{MOMENT}}",
                f"{one.last:{MOMENT}}", one.photos, one.method, one.decided_by,
                instant(one.decided_at), number(one.probability),
            )
            for one in each(survey.detections)
        ]  # fmt: skip
        individuals = [
            (
                one.individual,
                one.species,
                SEX[one.sex],
                f"{one.first:{MOMENT}}",
                f"{one.last:{MOMENT}}",
                one.encounters,
            )
            for one in each(survey.individuals)
        ]
        borders = survey.occasions.borders()
        effort = [
            (station, k, f"{borders[k - 1]:{MOMENT}}", f"{borders[k]:{MOMENT}}", number(days))
            for station in survey.effort.index
            for k, days in enumerate(survey.days(str(station)), 1)
        ]
        histories = [
            (names[code], *map(int, seen))
            for code, seen in zip(survey.histories.index, survey.histories.to_numpy(), strict=True)
        ]
        tables: dict[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = {
            "sightings": (
                ("individual", "species", "sex", "station", "camera", "first", "last", "photos", "method",
                 "decided_by", "decided_at", "probability"),
                sightings,
            ),
            "individuals": (("individual", "species", "sex", "first", "last", "encounters"), individuals),
            "effort": (("station", "occasion", "from", "to", "days"), effort),
            "histories": (("individual", *(f"o{k}" for k in survey.histories)), histories),
        }  # fmt: skip
        paths = [
            write_csv(folder / f"{name}.csv", columns, rows, spreadsheet=self.spreadsheet)
            for name, (columns, rows) in tables.items()
        ]
        return [*paths, write_text(folder / "load.R", LOAD)]
