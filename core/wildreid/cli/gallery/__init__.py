"""`reid gallery`: make a gallery of known individuals and keep it right; every change can be undone."""

from __future__ import annotations

import typer

from wildreid.cli.gallery.building import add, create, features, join
from wildreid.cli.gallery.caring import calibrate, verify
from wildreid.cli.gallery.correcting import merge, remove, rename, split, undo
from wildreid.cli.gallery.exporting import export
from wildreid.cli.gallery.looking import list_, log, show

COMMANDS = (
    create,
    add,
    features,
    join,
    list_,
    show,
    rename,
    merge,
    split,
    remove,
    undo,
    log,
    verify,
    calibrate,
    export,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(
        help="A gallery of known individuals: make it, add to it, correct it; every change can be undone.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    for command in COMMANDS:
        commands.command(command.__name__.rstrip("_"))(command)
    app.add_typer(commands, name="gallery")
