"""From the tables of a Camtrap DP package to rows: whose photo, which event, who said it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.errors import UserError
from wildreid_plugins.datasets.camtrap_events import (
    PRIVATE,
    event_key,
    event_of,
    events_of,
    instants,
    several,
    spoken_by_event,
)
from wildreid_plugins.datasets.camtrap_films import Films, with_frames

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.data.records import Records
    from wildreid.data.table import Table
    from wildreid_plugins.datasets.camtrap_package import Package

PATH = re.compile(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$")
"""What the standard allows as the path of a file."""
_VIEW = r"(?:^|\|)\s*viewpoint\s*:\s*([^|]+?)\s*(?:\||$)"
_BOX = ["bboxX", "bboxY", "bboxWidth", "bboxHeight"]
_DECIDED = (
    "classificationMethod", "classificationProbability", "classifiedBy", "classificationTimestamp",
)  # fmt: skip
_TAKEN = (
    "individualID", "scientificName", "sex", "lifeStage", "mediaID", "deploymentID", *_BOX, *_DECIDED, "filePath",
    "filePublic", "timestamp",
)  # fmt: skip
WHOLE_EVENT = "rows of whole events"
NOT_SPOKEN_OF = "photos that no observation speaks of"
SPOKEN_OF = "photos with observations"
ON_FAILED = "animals on photos that failed"


def table_of(package: Package, *, media: Path | None, films: Films | None = None) -> Table:
    """The table of a package. Its records are its observations and its media.

    Args:
        package: as it was read.
        media: a folder with files that are not in the package; None: there is none.
        films: which frames of films are taken; None: a film is a failure.

    Raises:
        UserError: a deployment stands twice; a date that could be read in two ways.
    """
    import pandas as pd

    from wildreid.data.records import Records

    twice = package.deployments["deploymentID"].duplicated()
    if twice.any():
        what = f"the deploymentID {package.deployments['deploymentID'][twice].iloc[0]!r} is there twice"
        raise UserError(what, where=str(package.file))
    files = _files(package, media, films=films is not None)
    observed = package.observations.assign(event=event_key(package.observations))
    events = events_of(observed)
    photos = files.rows.assign(here=files.open, event=event_of(files.rows, observed, events))
    by_event = spoken_by_event(photos, observed, events)
    every = pd.concat([observed, by_event], ignore_index=True)
    photo = photos[~photos["mediaID"].duplicated()].set_index("mediaID").reindex(every["mediaID"])
    photo = photo.set_axis(every.index)
    every["event"] = every["event"].fillna(photo["event"])
    _fill_individuals(every, observed, events)
    if films is not None:
        every, photo = with_frames(every, photo, files.root, films)
    rows = _rows(every, photo, package).assign(private=_private(every, photo, events))
    keys = every["observationID"].fillna("")
    records = Records(
        rows, keys if films is None else (keys + " " + every["frame"].fillna("")).str.strip(), files.root
    )
    records.keep(_others(every, photo))
    _decide(records, every, photo)
    spoken = photos["mediaID"].isin(observed["mediaID"].dropna())
    silent = photos["here"] & ~spoken & ~photos["mediaID"].isin(by_event["mediaID"])
    counted = {SPOKEN_OF: int((photos["here"] & spoken).sum()), NOT_SPOKEN_OF: int(silent.sum())}
    records.further(failures=files.failures, counted=counted)
    boxes = every[_BOX].apply(pd.to_numeric, errors="coerce")
    records.fail(boxes.isna().any(axis=1) & every[_BOX].notna().any(axis=1), _told(every))
    records.fail(rows["identity"].notna() & boxes.isna().any(axis=1) & several(every), _crowd(every))
    if films is not None:
        boxes = boxes.mask(every["frame"].notna())  # of which frame they are, nobody says
    records.box(boxes.to_numpy(np.float64), relative=True)
    records.date(photo["timestamp"], where=str(package.file))
    if films is not None:
        records.rows["timestamp"] += pd.to_timedelta(every["seconds"].fillna(0), unit="s")
    return records.table(form=f"Camtrap DP {package.version}", notes=_notes(package, rows, records))


def _files(package: Package, media: Path | None, *, films: bool) -> Records:
    """The media, located; those that are not here, or nothing that is read, have failed."""
    from wildreid.data.records import FILM, Records, said

    rows = package.media.reset_index(drop=True)
    files = Records(rows, rows["mediaID"].fillna(""), package.file.parent)
    paths, kind = said(rows["filePath"]), said(rows["fileMediatype"]).fillna("image/")
    url = paths.str.contains("://", regex=False).fillna(False)
    files.fail(rows["mediaID"].isna(), "the medium has no mediaID")
    files.fail(rows["mediaID"].duplicated(keep=False), "the mediaID is there twice")
    film = kind.str.startswith("video/")
    if not films:
        files.fail(film, FILM)
    files.fail(~film & ~kind.str.startswith("image/"), "no photo: " + kind)
    allowed = paths.fillna("x").map(lambda path: PATH.match(path) is not None)
    files.fail(~url & ~allowed, "a path that a package may not have: " + paths.fillna(""))
    files.locate(paths, media=media, names=[said(rows["fileName"]), rows["mediaID"]], films=films)
    return files


def _fill_individuals(every: pd.DataFrame, observed: pd.DataFrame, events: pd.DataFrame) -> None:
    """Where the one animal of a photo has no name, take the name that its event gives its one individual."""
    animal = (every["observationType"] == "animal") & (every["observationLevel"] == "media")
    alone = ~every["mediaID"].where(animal).duplicated(keep=False) & ~several(every)
    event = events["one"].reindex(every["event"]).set_axis(every.index)
    wanted = animal & alone & every["individualID"].isna() & event.notna()
    source = observed.loc[event[wanted].astype(int)]
    for column in ("individualID", *_DECIDED):
        every.loc[wanted, column] = source[column].to_numpy()


def _private(every: pd.DataFrame, photo: pd.DataFrame, events: pd.DataFrame) -> pd.Series[Any]:
    """Photos with people or vehicles, and those that are not public."""
    people = every.loc[every["observationType"].isin(PRIVATE), "mediaID"].dropna()
    event = events["private"].reindex(every["event"]).set_axis(every.index).fillna(False).astype(bool)
    told_by_event = event & (every["observationLevel"] == "photo")
    closed = photo["filePublic"].str.strip().str.lower().isin(["false", "0"])
    return every["mediaID"].isin(people) | closed | told_by_event


def _decide(records: Records, every: pd.DataFrame, photo: pd.DataFrame) -> None:
    """What becomes of each observation that is no row."""
    level, kind = every["observationLevel"], every["observationType"]
    records.fail(every["observationID"].isna(), "the observation has no observationID")
    named = [name for name in ("observationID", "frame") if name in every]
    records.fail(every[named].duplicated() & (level != "photo"), "the observationID is there twice")
    records.count(level == "event", WHOLE_EVENT)
    records.fail(
        ~level.isin(["media", "photo"]), "observationLevel is neither media nor event: " + _words(level)
    )
    records.count(kind != "animal", _words(kind).to_list())
    records.fail(every["mediaID"].isna(), "the observation names no photo")
    records.fail(
        photo["filePath"].isna() & photo["here"].isna(),
        "there is no such mediaID: " + _words(every["mediaID"]),
    )
    records.count(photo["here"] != True, ON_FAILED)  # noqa: E712 - a frame's column
    if "film_failed" in every:
        records.fail(every["film_failed"].notna(), every["film_failed"])
    many = every["several"].fillna(1).astype(int)
    records.fail(many > 1, [f"{number} individuals on one photo without boxes" for number in many])


def _rows(every: pd.DataFrame, photo: pd.DataFrame, package: Package) -> pd.DataFrame:
    """Our columns."""
    import pandas as pd

    from wildreid.data.records import said

    site = package.deployments.set_index("deploymentID").reindex(every["deploymentID"]).set_axis(every.index)
    who = said(every["individualID"])
    known = who.notna()
    method = every["classificationMethod"].where(known)
    rows = pd.DataFrame(
        {
            "image": photo["image"],
            "identity": who,
            "camera": site["cameraID"].fillna(every["deploymentID"]),
            "station": site["locationID"].fillna(site["locationName"]),
            "deployment": every["deploymentID"],
            "event": every["event"],
            "species": every["scientificName"],
            "sex": every["sex"],
            "life_stage": every["lifeStage"],
            "media": every["mediaID"],
            "latitude": pd.to_numeric(site["latitude"], errors="coerce"),
            "longitude": pd.to_numeric(site["longitude"], errors="coerce"),
            "viewpoint": every["observationTags"].str.extract(_VIEW, expand=False),
            "method": method.fillna("import").where(known),
            "probability": pd.to_numeric(every["classificationProbability"], errors="coerce").where(known),
            "decided_by": every["classifiedBy"].where(known),
            "decided_at": instants(every["classificationTimestamp"]).where(known),
        }
    )
    if package.individuals is not None and "individualID" in package.individuals:
        animals = package.individuals.drop_duplicates("individualID").set_index("individualID")
        for ours, theirs in (("sex", "sex"), ("life_stage", "lifeStage")):
            if theirs in animals:
                rows[ours] = rows[ours].fillna(who.map(animals[theirs]))
    return rows


def _others(every: pd.DataFrame, photo: pd.DataFrame) -> pd.DataFrame:
    """What observations and media say besides."""
    ours = (*_TAKEN, "event", "several", "private", "here", "image", "frame", "seconds", "film_failed")
    own = every.drop(columns=[name for name in ours if name in every])
    return own.join(photo.drop(columns=[name for name in (*ours, *own) if name in photo]))


def _words(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.astype("string").fillna("nothing")


def _told(every: pd.DataFrame) -> pd.Series[Any]:
    numbers = every[_BOX].astype("string").fillna("")
    return "the box has a number missing: " + numbers[_BOX[0]].str.cat(numbers[_BOX[1:]], sep=", ")


def _crowd(every: pd.DataFrame) -> list[str]:
    return [f"{number} individuals on one photo without boxes" for number in every["count"]]


def _notes(package: Package, rows: pd.DataFrame, records: Records) -> list[str]:
    """What a reader should know besides the counts."""
    notes = list(package.notes)
    kept = rows[records.open]
    wrong = package.deployments["timestampIssues"].str.strip().str.lower().isin(["true", "1"])
    late = kept["deployment"].isin(package.deployments.loc[wrong, "deploymentID"])
    if late.any():
        notes.append(f"{int(late.sum())} rows are of deployments whose clock was wrong (timestampIssues)")
    unknown = ~kept["deployment"].isin(package.deployments["deploymentID"])
    if unknown.any():
        notes.append(f"{int(unknown.sum())} rows name a deployment that the package does not describe")
    if len(kept) and kept["identity"].isna().all():
        notes.append("no observation names an individual (individualID): nobody is known")
    return notes
