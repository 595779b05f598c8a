"""oSCR's encounter and trap data files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Exporter
from wildreid_plugins.exporters.text import each, number, write_csv, write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey


class Oscr(Exporter):
    """Encounters and traps for spatial capture-recapture with oSCR."""

    name = "oscr"
    effort: bool = Field(False, description="also give the camera-days of each occasion, as trap covariates")

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``oscr_edf.csv``, ``oscr_tdf1.csv`` and ``load.R``.

        oSCR takes operation as 0 or 1 alone; ``effort`` adds the days behind a column of ``/``.
        """
        places, occasions = survey.metres(), range(1, survey.occasions.count + 1)
        mixed = ("Method",) if survey.identities else ()
        sexed = bool((survey.detections["sex"] != "").any())
        edf = [
            (1, one.code, one.occasion, one.station, one.sex or "NA", *((one.method,) if mixed else ()))
            for one in each(survey.detections)
        ]
        days = ("/", *(f"effort.{k}" for k in occasions)) if self.effort else ()
        tdf = []
        for station, (x, y) in places.items():
            own = survey.days(station)
            more = ("/", *map(number, own)) if self.effort else ()
            tdf.append((station, number(x), number(y), *(int(one > 0) for one in own), *more))
        sex = 'sex.col = 5, sex.nacode = "NA", ' if sexed else ""
        covariates = ', trapcov.names = "effort", tdf.sep = "/"' if self.effort else ""
        load = (
            "library(oSCR)\n"
            'edf <- read.csv("oscr_edf.csv", colClasses = c(ID = "character", Detector = "character"))\n'
            'tdf <- read.csv("oscr_tdf1.csv", check.names = FALSE)\n'
            f"o <- data2oscr(edf, sess.col = 1, id.col = 2, occ.col = 3, trap.col = 4, {sex}"
            f"tdf = list(tdf), K = {survey.occasions.count}, ntraps = {len(places)}{covariates})\n"
            "print(o)\n"
        )
        return [
            write_csv(folder / "oscr_edf.csv", ("Session", "ID", "Occasion", "Detector", "Sex", *mixed), edf),
            write_csv(folder / "oscr_tdf1.csv", ("Trap", "X", "Y", *occasions, *days), tdf),
            write_text(folder / "load.R", load),
        ]
