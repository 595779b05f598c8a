"""`reid gallery export`: a survey written for another program, whole or not at all, and what was written."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wildreid.errors import UserError
from wildreid.files import put
from wildreid.population.draws import POOL, drawn, uncertain_of
from wildreid.population.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from wildreid.kinds import Exporter
    from wildreid.population.design import Design

    Take = Callable[[pd.DataFrame, Design], Survey]

FORMAT = 1
RECORD = "export.json"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        survey: what was written of; of the first draw, where identities were drawn.
        files: its files, by their path below the folder.
        key: the file beside the folder that says which name stands for which; None where none was replaced.
    """

    folder: Path
    survey: Survey
    files: tuple[str, ...]
    key: Path | None


def export_survey(
    rows: pd.DataFrame,
    take: Take,
    design: Design,
    exporter: Exporter,
    folder: Path,
    *,
    facts: Mapping[str, Any],
    draws: int = 0,
    seed: int = 0,
) -> Exported:
    """Write a survey into a new folder.

    Beside the exporter's files lie ``names.csv`` (each individual's name and its plain one), ``dropped.csv``
    where photos were dropped, and ``export.json``: filters, counts, hashes. With draws, each lies in a folder
    ``draw_001`` … of its own, and ``pool.R`` beside them.

    Args:
        rows: the annotations.
        take: makes the survey of them, under a design.
        design: what is taken and told.
        exporter: the form.
        folder: new or empty.
        facts: what ``export.json`` says of the gallery.
        draws: how many whole assignments of uncertain identities to draw; 0: none, certain ones alone.
        seed: of the draws.

    Raises:
        UserError: the folder holds something; what the survey and the exporter say. Nothing is then left.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} holds something already", cure="choose another, or empty it")
    if not folder.absolute().parent.is_dir():
        raise UserError(
            f"there is no folder {folder.absolute().parent} to make {folder.name} in", cure="make it first"
        )
    if draws == 1:
        raise UserError(
            "one draw says nothing about uncertainty", where="draws", cure="write more: `draws=20`"
        )
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}.") as name:
        inside = Path(name) / "export"
        inside.mkdir()
        if draws:
            design = replace(design, machine=True, min_probability=0.0)
            uncertain = uncertain_of(rows)
            surveys: list[Survey] = []
            for number in range(1, draws + 1):
                survey = take(drawn(rows, uncertain, seed, number), design)
                (inside / f"draw_{number:03d}").mkdir()
                _write(survey, exporter, inside / f"draw_{number:03d}")
                surveys = surveys or [survey]
            survey = surveys[0]
            shutil.copyfile(POOL, inside / POOL.name)
        else:
            survey = take(rows, design)
            _write(survey, exporter, inside)
        files = sorted(path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file())
        drawing = (
            {"draws": draws, "seed": seed, "uncertain encounters": len(uncertain.rows)} if draws else None
        )
        record = _record(survey, exporter, facts, drawing, {file: _hash(inside / file) for file in files})
        (inside / RECORD).write_text(record, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()
        inside.rename(folder)
    return Exported(folder, survey, (*files, RECORD), _keep_key(survey, folder))


def _write(survey: Survey, exporter: Exporter, folder: Path) -> None:
    exporter.write(survey=survey, folder=folder)
    people = survey.individuals
    names = pd.DataFrame({"sort": "individual", "name": people["individual"], "code": people["code"]})
    if survey.open_names:
        names = pd.concat([names, survey.hidden])
    names.to_csv(folder / "names.csv", index=False, lineterminator="\n")
    if len(survey.dropped):
        survey.dropped.to_csv(folder / "dropped.csv", index=False, lineterminator="\n")


def _record(
    survey: Survey,
    exporter: Exporter,
    facts: Mapping[str, Any],
    drawing: Mapping[str, Any] | None,
    files: Mapping[str, str],
) -> str:
    photos = survey.photos.assign(by=survey.photos["decided_by"].replace("", "not said"))
    decided: dict[str, dict[str, int]] = {}
    for (method, who), own in photos.groupby([photos["method"].replace("", "not said"), "by"]):
        decided.setdefault(str(method), {})[str(who)] = len(own)
    record = {
        "format": FORMAT,
        "exporter": exporter.model_dump(mode="json"),
        "gallery": dict(facts),
        "filters": survey.design.filters(),
        "occasions": {
            "from": survey.occasions.start.isoformat(),
            "days": survey.occasions.days,
            "count": survey.occasions.count,
        },
        "photos": dict(survey.counts),
        "individuals": len(survey.individuals),
        "encounters": len(survey.encounters),
        "identities of photos decided by": decided,
        "draws": None if drawing is None else dict(drawing),
        "notes": list(survey.notes),
        "files": dict(files),
        "versions": {"wildreid": version("wildreid")},
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _keep_key(survey: Survey, folder: Path) -> Path | None:
    """Write which name stands for which beside the folder, never into it."""
    if survey.open_names:
        return None
    path = folder.absolute().with_name(f"{folder.name}.private.csv")
    put(path, lambda aside: survey.hidden.to_csv(aside, index=False, lineterminator="\n"))
    return path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
