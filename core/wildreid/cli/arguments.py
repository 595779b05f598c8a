"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

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
