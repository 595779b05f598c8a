"""camtrapR's record and station tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wildreid.errors import UserError
from wildreid.kinds import Exporter
from wildreid_plugins.exporters.text import MOMENT, each, number, write_csv, write_text

if TYPE_CHECKING:
    from wildreid.population.survey import Survey


class CamtrapR(Exporter):
    """Records and stations for camtrapR, with times, since it halves the first and last day of bare dates."""

    name = "camtrapr"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        """``camtrapr_records.csv``, ``camtrapr_stations.csv`` and ``load.R``."""
        _check(survey)
        mixed = ("Method",) if survey.identities else ()
        records = [
            (
                one.station, one.species, one.code, f"{one.first:{MOMENT}}", f"{one.first:%Y-%m-%d}",
                f"{one.first:%H:%M:%S}", *((one.method,) if mixed else ()),
            )
            for one in each(survey.detections)
        ]  # fmt: skip
        stations, problems = _stations(survey)
        columns = ("Station", "Species", "Individual", "DateTimeOriginal", "Date", "Time", *mixed)
        spans = [f"Problem{n + 1}_{side}" for n in range(problems) for side in ("from", "to")]
        head = ("Station", "utm_x", "utm_y", "Setup_date", "Retrieval_date", *spans)
        return [
            write_csv(folder / "camtrapr_records.csv", columns, records),
            write_csv(folder / "camtrapr_stations.csv", head, stations),
            write_text(folder / "load.R", _load(survey, problems > 0)),
        ]


def _check(survey: Survey) -> None:
    if (survey.detections["species"] == "").any():
        raise UserError(
            "camtrapR needs a species", where="species", cure="give it with `species=…`, such as Ursus arctos"
        )
    if survey.occasions.count < 2:
        raise UserError(
            "camtrapR needs two occasions at least",
            where="occasion_days",
            cure="make occasions shorter with `occasion_days=…`",
        )
    if survey.design.cameras_independent:
        raise UserError(
            "this form has one row for each station and cannot add its cameras' efforts",
            where="cameras_independent",
            cure="leave it out, or name each camera a station",
        )


def _stations(survey: Survey) -> tuple[list[list[str]], int]:
    """One row for each station: from its first setup to its last retrieval, and the gaps in between."""
    places, rows = survey.metres(), {}
    for station, own in survey.deployments.groupby("station", sort=True):
        start, end = own["start"].min(), own["end"].max()
        gaps, at = [], start
        for low, high in sorted(period for periods in own["periods"] for period in periods):
            if low > at:
                gaps.append((at, low))
            at = max(at, high)
        if at < end:
            gaps.append((at, end))
        rows[station] = (start, end, gaps)
    most = max(len(gaps) for _, _, gaps in rows.values())
    table = []
    for station, (start, end, gaps) in rows.items():
        times = [f"{when:{MOMENT}}" for when in (start, end, *(side for gap in gaps for side in gap))]
        x, y = places[str(station)]
        blank = [""] * (2 * (most - len(gaps)))
        table.append([str(station), number(x), number(y), *times, *blank])
    return table, most


def _load(survey: Survey, problems: bool) -> str:
    occasions = survey.occasions
    first = survey.deployments["start"].min().normalize()
    day1 = "survey" if occasions.start.normalize() == first else f"{occasions.start:%Y-%m-%d}"
    at_border = int(survey.detections["first"].isin(occasions.borders()[1:-1]).sum())
    note = (
        f"# camtrapR puts a record that lies exactly on a border into the earlier occasion, we into the later\n"
        f"# one; here that concerns {at_border} record{'s' if at_border != 1 else ''}.\n"
    )
    calls = []
    for species in sorted(set(survey.detections["species"])):
        calls.append(
            f'sdh <- spatialDetectionHistory(records, species = "{species}", camOp = op, CTtable = st, '
            'output = "count", stationCol = "Station", Xcol = "utm_x", Ycol = "utm_y", '
            f'individualCol = "Individual", occasionLength = {occasions.days}, day1 = "{day1}", '
            f'includeEffort = TRUE, timeZone = "{survey.design.timezone or "UTC"}")\n'
        )
    return (
        "library(camtrapR)\n" + note + 'st <- read.csv("camtrapr_stations.csv")\n'
        'records <- read.csv("camtrapr_records.csv")\n'
        'op <- cameraOperation(st, stationCol = "Station", setupCol = "Setup_date", '
        f'retrievalCol = "Retrieval_date", hasProblems = {"TRUE" if problems else "FALSE"}, '
        f'dateFormat = "ymd HMS", '
        f"occasionStartTime = {occasions.start.hour})\n" + "".join(calls) + "print(sdh)\n"
    )
