"""`reid new`: a species pack from a look at the photos, a plugin package for any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Columns, Dates, Unknown, said_of_table

new = typer.Typer(help="Write a species pack, or a plugin package, that runs at once.", no_args_is_help=True)
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="In lower case, with hyphens: snow-leopard.", show_default=False)
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="The folder that it is written into.")]


@new.command()
def species(
    name: Name,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="PATH", help="A folder of photos, or a table; drawn photos if not given."
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT",
            help="What the folders mean, where their names do not say it: '{station}/{identity}/{file}'.",
        ),
    ] = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    out: Out = Path(),
) -> None:
    """Write a species pack: a look at the photos proposes columns, split and protocol.

    Example: [bold]reid new species cattle --from photos/of/cattle[/]
    """
    from rich.console import Console

    from wildreid.authoring import new_species

    said = said_of_table(columns, dates, unknown)
    pack = new_species(name, out, source=source, layout=layout, said=said)
    say = Console(highlight=False).print
    for note in pack.notes:
        say(f"· {note}", markup=False, soft_wrap=True)
    say(f"\nwritten: {pack.folder}, now: [bold]reid run {pack.folder}/recipe.yaml[/]", soft_wrap=True)


@new.command()
def plugin(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Such as loss or metric.", show_default=False)],
    name: Name,
    out: Out = Path(),
) -> None:
    """Write a plugin package with one option: code, test, recipe and small photos to try it on.

    Example: [bold]reid new plugin loss my-loss[/]
    """
    from rich.console import Console

    from wildreid.authoring import new_plugin

    folder = new_plugin(kind, name, out)
    next_step = f"reid run {folder}/recipe.yaml" if (folder / "recipe.yaml").is_file() else f"pytest {folder}"
    Console(highlight=False).print(f"written: {folder}, now: [bold]{next_step}[/]", soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(new, name="new")
