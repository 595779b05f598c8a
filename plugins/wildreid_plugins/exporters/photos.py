"""Photos beside an export: encoded again from pixels, so that no EXIF comes along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wildreid.errors import UserError

if TYPE_CHECKING:
    from wildreid.population.survey import Survey

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}


def copy_photos(survey: Survey, folder: Path) -> list[Path]:
    """Write each photo that may be shown once, whole and upright, under its name in the survey.

    Raises:
        UserError: the photos are not there, or of a form that is not written.
    """
    from PIL import Image

    if survey.read is None:
        raise UserError(
            "the photos are not there",
            where="with_photos",
            cure="say in which folder they are: `photos=FOLDER`",
        )
    paths = []
    for row, (name, withheld) in enumerate(
        zip(survey.photos["file"], survey.photos["withheld"], strict=True)
    ):
        path = folder / name
        if path in paths or withheld:
            continue
        form = FORMATS.get(path.suffix.lower())
        if form is None:
            raise UserError(f"photos of the form '{path.suffix}' are not copied", where=name)
        Image.fromarray(survey.read(row)).save(path, form, **({"quality": 95} if form == "JPEG" else {}))
        paths.append(path)
    return paths
