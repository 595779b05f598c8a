"""A gallery as a survey for another program, in one zip: what ``GET /v1/export/{format}`` answers."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import TypeAdapter, ValidationError

from wildreid.data.paths import outside
from wildreid.errors import UserError
from wildreid.population.deployments import read_deployments
from wildreid.population.design import Design
from wildreid.population.export import export_survey
from wildreid.population.of_gallery import facts, rows_of, taker
from wildreid.recipe import limits
from wildreid.registry import Registry

if TYPE_CHECKING:
    from wildreid.gallery.state import State
    from wildreid.kinds import Exporter
    from wildreid.review.beside import Beside

DESIGN = TypeAdapter(Design)
DRAWN = ("draws", "seed")
MOST_DRAWS = 1000
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a zip, so that one survey is always the same bytes."""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported, and how.

    Attributes:
        design: what is taken and told.
        drawn: ``draws`` and ``seed``, where they were given.
        exporter: the form.
    """

    design: Design
    drawn: dict[str, int]
    exporter: Exporter

    @property
    def tells(self) -> str:
        """What of it tells more of places than a public export does by default; empty: nothing."""
        if self.design.private:
            return "private=true"
        if self.design.station_names:
            return "station_names=true"
        if (self.design.precision or 0) > (Design().precision or 0):
            return f"precision={self.design.precision}"
        return ""


def exported(state: State, beside: Beside, wanted: Wanted) -> bytes:
    """Write a survey of a gallery as one zip.

    Places and the names of stations, cameras and files are made safe unless the design is private; the file that
    says which name stands for which is never in it.

    Args:
        state: the gallery.
        beside: its deployments, and its photos where they are at hand.
        wanted: what is to be written.

    Raises:
        UserError: there are no deployments; what the survey and the exporter say.
    """
    if beside.deployments is None:
        raise UserError(
            "an export needs to know when cameras worked, and this server does not know it",
            where="deployments",
            cure="start it with `deployments=FILE`",
        )
    design = wanted.design
    rows = rows_of(state).reset_index(drop=True)
    photos = (
        None if outside(rows["image"]).any() else beside.photos
    )  # a gallery from elsewhere may say anything
    take = taker(state, read_deployments(beside.deployments, timezone=design.timezone), photos=photos)
    with tempfile.TemporaryDirectory(prefix="reid-") as aside:
        folder = Path(aside) / "export"
        done = export_survey(rows, take, design, wanted.exporter, folder, facts=facts(state), **wanted.drawn)
        return _zipped(folder, done.files, Path(aside) / "export.zip")


def _zipped(folder: Path, files: Sequence[str], path: Path) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for file in sorted(files):
            entry = zipfile.ZipInfo(file, LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            out.writestr(entry, (folder / file).read_bytes())
    return path.read_bytes()


def wanted(name: str, asked: Sequence[tuple[str, str]]) -> Wanted:
    """What a request asks for.

    Args:
        name: of the exporter.
        asked: names and texts: fields of the design, ``draws`` and ``seed``, and fields of the exporter.

    Raises:
        UserError: there is no such exporter or field, or a text does not fit.
    """
    given: dict[str, str] = {}
    for key, text in asked:
        if key in given:
            raise UserError(f"{key} is given twice", where=key)
        given[key] = text
    drawn = {key: _typed(int, key, given.pop(key)) for key in DRAWN if key in given}
    if any(value < 0 for value in drawn.values()) or drawn.get("draws", 0) > MOST_DRAWS:
        raise UserError(f"draws is from 0 to {MOST_DRAWS}, and seed is 0 or more", where="draws")
    own = {key: given.pop(key) for key in vars(Design()) if key in given}
    try:
        design = DESIGN.validate_python(own)
    except ValidationError as error:
        raise UserError(_words(error)) from None
    return Wanted(design, drawn, _exporter(name, given))


def parameters() -> dict[str, dict[str, Any]]:
    """What may be asked of every export beside the exporter's own fields: names and their JSON schemas."""
    draws = {"type": "integer", "minimum": 0, "maximum": MOST_DRAWS, "default": 0}
    return {**DESIGN.json_schema()["properties"], "draws": draws, "seed": {**draws, "maximum": 2**31 - 1}}


def _typed(kind: Any, key: str, text: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(text)
    except ValidationError as error:
        raise UserError(_words(error), where=key) from None


def _exporter(name: str, given: Mapping[str, str]) -> Exporter:
    try:
        option = Registry().choose("exporter", name)
        return option.model_validate({key: limits.read(text) for key, text in given.items()})  # type: ignore[return-value]
    except ValidationError as error:
        raise UserError(_words(error), cure="a field of the survey or of the exporter") from None
    except yaml.YAMLError as error:
        raise UserError(f"a value is not readable as YAML: {error}") from None
    except ValueError as error:
        raise UserError(str(error)) from None


def _words(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
