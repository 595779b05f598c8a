"""The tables of a Camtrap DP package, with all columns of the standard in its order."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from wildreid.errors import UserError
from wildreid_plugins.exporters.text import each, instant, number

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.population.survey import Survey

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay", "cameraHeight",
    "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance", "timestampIssues", "baitUse", "featureType",
    "habitat", "deploymentGroups", "deploymentTags", "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype",
    "exifData", "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel",
    "observationType", "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID",
    "individualPositionRadius", "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth",
    "bboxHeight", "classificationMethod", "classifiedBy", "classificationTimestamp", "classificationProbability",
    "observationTags", "observationComments",
)  # fmt: skip
INDIVIDUALS = ("individualID", "sex", "firstSeen", "lastSeen", "encounters")
INDIVIDUALS_SCHEMA = {
    "fields": [
        {"name": "individualID", "type": "string", "constraints": {"required": True, "unique": True}},
        {"name": "sex", "type": "string"},
        {"name": "firstSeen", "type": "date"},
        {"name": "lastSeen", "type": "date"},
        {"name": "encounters", "type": "integer"},
    ],
    "primaryKey": "individualID",
}
SEX = {"F": "female", "M": "male", "": ""}
LIFE_STAGES = ("adult", "subadult", "juvenile")
BOX = ("box_left", "box_top", "box_width", "box_height")


@dataclass(frozen=True)
class Period:
    """A span in which a camera worked: what Camtrap DP calls a deployment, which knows no problems.

    Attributes:
        name: its id.
        row: of the survey's deployments.
        start: when it began to work.
        end: when it stopped.
    """

    name: str
    row: int
    start: pd.Timestamp
    end: pd.Timestamp


def periods(survey: Survey) -> list[Period]:
    """One a span: a deployment with a problem in its middle is two, numbered behind ``_``."""
    found = []
    for row, (name, spans) in enumerate(
        zip(survey.deployments["deployment"], survey.deployments["periods"], strict=True)
    ):
        for n, (start, end) in enumerate(spans, 1):
            found.append(Period(f"{name}_{n}" if len(spans) > 1 else name, row, start, end))
    return found


def deployments(survey: Survey, spans: list[Period]) -> Iterator[list[str]]:
    """The rows of deployments.csv; columns of the standard that the survey has are passed on."""
    open_names = survey.design.private or survey.design.station_names
    form = None if survey.design.private else survey.design.precision
    for span in spans:
        own = survey.deployments.iloc[span.row]
        known = {
            "deploymentID": span.name,
            "locationID": own["station"],
            "locationName": own.get("locationName", own["station"]) if open_names else "",
            "latitude": _degrees(own["latitude"], form),
            "longitude": _degrees(own["longitude"], form),
            "coordinateUncertainty": number(own["coordinate_uncertainty"], 0),
            "deploymentStart": survey.zoned(span.start, own["start_offset"]),
            "deploymentEnd": survey.zoned(span.end, own["end_offset"]),
            "cameraID": own["camera"],
        }
        yield [str(known.get(name, own.get(name, ""))) for name in DEPLOYMENTS]


def media(survey: Survey, spans: list[Period], capture: str, *, shown: bool) -> Iterator[list[str]]:
    """The rows of media.csv, one for each photo."""
    ids, own = media_ids(survey), {span.name: span for span in spans}
    seen: set[str] = set()
    for row, span in zip(each(survey.photos), _of(survey, own), strict=True):
        if row.file in seen:
            continue
        seen.add(row.file)
        kind = mimetypes.guess_type(row.file)[0] or "image/jpeg"
        public = str(shown and not row.withheld).lower()
        when = survey.zoned(row.timestamp, row.utc_offset)
        yield [ids[row.file], span, capture, when, f"media/{row.file}", public, row.file, kind, "", "", ""]


def observations(survey: Survey, spans: list[Period]) -> Iterator[list[str]]:
    """The rows of observations.csv: one for each encounter, then one for each annotation."""
    photos = survey.photos.assign(span=list(_of(survey, {span.name: span for span in spans})))
    met: Any = photos.groupby("event")["timestamp"].agg(["min", "max"])
    first: Any = photos.sort_values(["timestamp", "file"], kind="stable").groupby("event").first()
    events = {
        event: f"{first.at[event, 'span']}_{ends['min']:%Y-%m-%d}_{event:03d}"
        for event, ends in met.iterrows()
    }

    def common(
        one: Any, span: str, level: str, name: str, medium: str, box: list[str], tags: str
    ) -> list[str]:
        offset = first.at[one.event, "utc_offset"]
        machine = one.method == "machine"
        values = {
            "observationID": name, "deploymentID": span, "mediaID": medium, "eventID": events[one.event],
            "eventStart": survey.zoned(met.at[one.event, "min"], offset),
            "eventEnd": survey.zoned(met.at[one.event, "max"], offset),
            "observationLevel": level, "observationType": "animal", "scientificName": one.species, "count": "1",
            "lifeStage": one.life_stage if one.life_stage in LIFE_STAGES else "", "sex": SEX[one.sex],
            "individualID": one.individual, **dict(zip(OBSERVATIONS[18:22], box, strict=True)),
            "classificationMethod": one.method if one.method in ("human", "machine") else "",
            "classifiedBy": one.decided_by or (f"wildreid {survey.model}" if machine else ""),
            "classificationTimestamp": instant(one.decided_at),
            "classificationProbability": number(one.probability) if machine else "", "observationTags": tags,
        }  # fmt: skip
        return [values.get(column, "") for column in OBSERVATIONS]

    model = [f"reid_model:{survey.model}"] if survey.model else []
    for one in each(survey.encounters):
        span = first.at[one.event, "span"]
        name = f"{events[one.event]}_{one.code}"
        yield common(one, span, "event", name, "", [""] * 4, " | ".join(model))
    ids, count = media_ids(survey), dict.fromkeys(photos["file"], 0)
    for row, one in enumerate(each(photos)):
        count[one.file] += 1
        tags = [*model, *([f"viewpoint:{one.viewpoint}"] if one.viewpoint else [])]
        name = f"{ids[one.file]}_{count[one.file]}"
        yield common(one, one.span, "media", name, ids[one.file], _box(survey, row, one), " | ".join(tags))


def individuals(survey: Survey) -> Iterator[list[str]]:
    """The rows of individuals.csv."""
    for one in each(survey.individuals):
        yield [
            one.individual,
            SEX[one.sex],
            f"{one.first:%Y-%m-%d}",
            f"{one.last:%Y-%m-%d}",
            str(one.encounters),
        ]


def media_ids(survey: Survey) -> dict[str, str]:
    """An id for each file: its name without the ending, or with it where two would be alike."""
    files = list(dict.fromkeys(survey.photos["file"]))
    stems = [PurePosixPath(file).stem for file in files]
    return dict(zip(files, stems if len(set(stems)) == len(stems) else files, strict=True))


def last_decision(survey: Survey) -> str:
    """When the last identity was decided, or else when the last photo was taken."""
    decided = survey.photos["decided_at"].max()
    if decided == decided:
        return instant(decided)
    last: Any = survey.photos.iloc[int(survey.photos["timestamp"].to_numpy().argmax())]
    return survey.zoned(last["timestamp"], last["utc_offset"])


def slug(name: str) -> str:
    """A name as a data package wants it: small letters, digits, ``.``, ``_`` and ``-``."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "survey"


def _of(survey: Survey, spans: dict[str, Period]) -> Iterator[str]:
    """The span that each photo is of."""
    names = list(survey.deployments["deployment"])
    of_row: dict[str, list[Period]] = {name: [] for name in names}
    for span in spans.values():
        of_row[names[span.row]].append(span)
    for row in each(survey.photos):
        yield next(span.name for span in of_row[row.deployment] if span.start <= row.timestamp < span.end)


def _box(survey: Survey, row: int, one: Any) -> list[str]:
    """Left, top, width and height as shares of the upright photo."""
    left, top, width, height = (getattr(one, name) for name in BOX)
    if left != left:
        return [""] * 4
    size = survey.sizes(row)
    if size is None:
        raise UserError(
            f"the box on {one.file} needs the size of its photo, which is not there",
            where="photos",
            cure="say in which folder the photos are: `photos=FOLDER`",
        )
    return [number(part, 12) for part in (left / size[0], top / size[1], width / size[0], height / size[1])]


def _degrees(value: float, precision: int | None) -> str:
    return number(value, 9) if precision is None else f"{value:.{precision}f}"
