"""`reid audit`: what a split leaks, be it of a recipe, of a run, or anyone's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Profiles, Settings

if TYPE_CHECKING:
    from wildreid.data.table import Table


def audit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A recipe, a run's folder, a table, or another tool's export.",
            show_default=False,
        ),
    ],
    profile: Profiles = None,
    set_: Settings = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where a table's images are; its own folder if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Count what test shares with train; exits with 1 if the split leaks.

    A table needs columns for path, identity and part, and may have date and camera; usual names are
    understood, and so are the exports of other tools that say parts. Near duplicates are looked for where
    the images are at hand.

    Example: [bold]reid audit metadata.csv[/]
    """
    from wildreid.data.columns import is_table
    from wildreid.pipeline.reading import of_file, of_recipe
    from wildreid.pipeline.recognise import recognised

    known = recognised(Path(target))
    if known is not None or is_table(Path(target)):
        if profile or set_:
            raise typer.BadParameter("--profile and --set go with a recipe")
        table = of_file(Path(target), root, known=known)
    elif (Path(target) / "split.parquet").is_file():
        from wildreid.data.table import Table

        table = Table.load(Path(target) / "split.parquet", Path(target))
    else:
        from wildreid.recipe import load_recipe

        table = of_recipe(load_recipe(target, profiles=profile or (), settings=set_ or ()))
    _show(table, json)


def _show(table: Table, as_json: bool) -> None:
    import json

    from rich.console import Console

    from wildreid.data import audit

    found = audit.audit(table)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
    else:
        Console(highlight=False).print(found)
    if found.leaks:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)
