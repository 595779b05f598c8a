"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wildreid.data.table import Table

RecipePath = Annotated[
    str, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)
]
RunPath = Annotated[
    str, typer.Argument(metavar="RUN", help="A folder that `reid run` wrote.", show_default=False)
]
Profiles = Annotated[
    list[str] | None,
    typer.Option("--profile", "-p", metavar="NAME", help="A profile of the recipe; may be given again."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One key, as in loss.margin=0.3; may be given again."),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps; the recipe's own if not given."),
]


Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="OURS=THEIRS",
        help="A table's own name for a column, as in identity=animal; may be given again.",
    ),
]
Dates = Annotated[
    str | None,
    typer.Option(metavar="FORM", help="Form of a table's dates: '%d.%m.%Y %H:%M', excel or unix."),
]
Unknown = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD", help="A name that means that nobody knows, as NA; may be given again. '': none does."
    ),
]


def said_of_table(columns: list[str] | None, dates: str | None, unknown: list[str] | None) -> dict[str, Any]:
    """What these options say, as `read_table` takes it.

    Raises:
        UserError: a column that is not OURS=THEIRS, or none of ours.
    """
    from wildreid.errors import UserError
    from wildreid.option import did_you_mean

    ours = (
        "image", "identity", "camera", "timestamp", "time", "viewpoint", "part",
        "box_left", "box_top", "box_width", "box_height",
    )  # fmt: skip
    given = {}
    for text in columns or ():
        name, sign, theirs = text.partition("=")
        if not sign or name not in ours:
            raise UserError(
                f"'{text}' is no column of ours = one of the table{did_you_mean(name, ours)}",
                where="--columns",
                cure=f"write OURS=THEIRS, OURS being {', '.join(ours)}",
            )
        given[name] = theirs
    words = None if unknown is None else [word for word in unknown if word.strip()]
    return {"columns": given or None, "dates": dates, "unknown": words}


def given_photos(photos: list[Path], root: Path | None, said: dict[str, Any]) -> list[Path] | Table:
    """Photos and folders as they were given, or the table that was, read as somebody says.

    Raises:
        UserError: as `read_photos`.
    """
    from wildreid.data.columns import is_table
    from wildreid.identification import read_photos

    plain = not any(map(is_table, photos)) and all(value is None for value in said.values())
    return photos if plain else read_photos(photos, root=root, **said)


def writable(file: Path | None) -> Path | None:
    """Refuse a file to write to that cannot be written, before the work is done that it is to hold.

    Raises:
        UserError: it is a folder, or lies in none that can be written.
    """
    from wildreid.errors import UserError

    if file is None:
        return None
    if file.is_dir():
        raise UserError(f"{file} is a folder", cure="give the name of a file")
    if not file.parent.is_dir():
        raise UserError(f"there is no folder {file.parent} to write {file.name} to", cure="make it first")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UserError(f"{file} cannot be written", cure="choose another place")
    return file
