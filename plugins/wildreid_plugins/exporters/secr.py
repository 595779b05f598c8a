"""secr's (and DENSITY's) capture and trap files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from wildreid.kinds import Exporter
from wildreid_plugins.exporters.text import each, number, write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey


class Secr(Exporter):
    """Captures and traps for spatial capture-recapture with secr or DENSITY, effort in camera-days."""

    name = "secr"
    detector: Literal["count", "proximity"] = Field(
        "count",
        description="count: one line for each encounter; proximity: one line for each animal, station and occasion",
    )
    session: str = Field("survey", pattern=r"^[A-Za-z0-9.-]+$", description="the session's name")
    covariates: tuple[str, ...] = Field(
        (), description="columns of the deployments to give with each station"
    )

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``secr_capt.txt``, ``secr_trap.txt`` and ``load.R``."""
        places, met = survey.metres(), survey.detections
        if self.detector == "proximity":
            met = met.drop_duplicates(["code", "occasion", "station"])
        sexed = bool((met["sex"] != "").any())
        note = f"# {survey.identities}\n" if survey.identities else ""
        capt = f"# Session ID Occasion Detector{' Sex' if sexed else ''}\n{note}" + "".join(
            f"{self.session} {one.code} {one.occasion} {one.station}{_sex(one.sex) if sexed else ''}\n"
            for one in each(met)
        )
        extra = f" / {' '.join(self.covariates)}" if self.covariates else ""
        trap = f"# Detector x y effort (camera days per occasion){extra}\n"
        for station, (x, y) in places.items():
            effort = " ".join(map(number, survey.days(station)))
            values = "".join(f" {number(value)}" for value in self._values(survey, station))
            slash = f" /{values}" if values else ""
            trap += f"{station} {number(x)} {number(y)} {effort}{slash}\n"
        return [
            write_text(folder / "secr_capt.txt", capt),
            write_text(folder / "secr_trap.txt", trap),
            write_text(folder / "load.R", self._load(sexed)),
        ]

    def _values(self, survey: Survey, station: str) -> list[float]:
        from wildreid.errors import UserError

        for name in self.covariates:
            if name not in survey.stations:
                there = ", ".join(sorted({*map(str, survey.stations)} - {"x", "y"})) or "none"
                raise UserError(
                    f"the deployments have no covariate '{name}' of numbers that may be shown; there are: {there}",
                    where="covariates",
                )
        return [float(survey.stations[name].to_dict()[station]) for name in self.covariates]

    def _load(self, sexed: bool) -> str:
        sex = ', covnames = "Sex"' if sexed else ""
        names = ", ".join(f'"{name}"' for name in self.covariates)
        covariates = f", trapcovnames = c({names})" if names else ""
        return (
            "library(secr)\n"
            "# binary.usage = FALSE: effort is in days; without it secr takes every number above 0 for 1\n"
            f'ch <- read.capthist("secr_capt.txt", "secr_trap.txt", detector = "{self.detector}"{sex}'
            f"{covariates}, binary.usage = FALSE)\n"
            "verify(ch)\nsummary(ch)\n"
        )


def _sex(sex: str) -> str:
    return f" {sex or 'NA'}"
