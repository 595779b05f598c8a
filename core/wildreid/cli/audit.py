"""`reid audit`: what a split leaks, be it of a recipe, of a run, or anyone's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Profiles, Settings

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.recipe import Loaded

TABLES = (".csv", ".tsv", ".parquet", ".pq")


def audit(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="A recipe, a run's folder, or a table.", show_default=False),
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
    understood. Near duplicates are looked for where the images are at hand.

    Example: [bold]reid audit metadata.csv[/]
    """
    if Path(target).suffix.lower() in TABLES:
        if profile or set_:
            raise typer.BadParameter("--profile and --set go with a recipe")
        table = of_file(Path(target), root)
    elif (Path(target) / "split.parquet").is_file():
        from wildreid.data.table import Table

        table = Table.load(Path(target) / "split.parquet", Path(target))
    else:
        from wildreid.recipe import load_recipe

        table = of_recipe(load_recipe(target, profiles=profile or (), settings=set_ or ()))
    _show(table, json)


def of_file(file: Path, root: Path | None) -> Table:
    """A table with groups and hashes, from a CSV or Parquet file that says the part of each image.

    Raises:
        UserError: it cannot be read, or says no part.
    """
    from wildreid.data.fingerprints import fingerprint
    from wildreid.data.groups import annotate
    from wildreid.data.read import guess_columns, read_parts, read_table
    from wildreid.errors import UserError
    from wildreid.places import cache_folder
    from wildreid.recipe.model import Encounters

    table = read_table(file, root or file.absolute().parent, columns=guess_columns(file))
    if "part" not in table.rows:
        raise UserError(
            f"the table has no column 'part'; it has {', '.join(table.rows.columns)}",
            where=str(file),
            cure="add one that says train, val or test",
        )
    table = table.with_rows(table.rows.assign(part=read_parts(table["part"])))
    if root is not None or any((table.root / image).is_file() for image in table["image"][:5]):
        table = fingerprint(table, cache=cache_folder())
    return annotate(table, Encounters())


def of_recipe(loaded: Loaded) -> Table:
    """The split that a run of the recipe would make; it is not refused where it leaks.

    Raises:
        UserError: as a run would.
    """
    from wildreid.data.fingerprints import fingerprint
    from wildreid.data.groups import annotate
    from wildreid.data.splits import assign
    from wildreid.data.table import Failure
    from wildreid.places import cache_folder
    from wildreid.progress import console

    recipe = loaded.recipe
    for note in loaded.notes:
        console().print(f"! {note}", markup=False, style="bold yellow")
    table = recipe.dataset.table()
    table = fingerprint(table, cache=cache_folder(), perceptual=recipe.encounters.near_duplicates)
    seen = "phash" if recipe.encounters.near_duplicates else "content"
    dark = table.rows[table[seen].isna()]
    if len(dark) == len(table):  # a table read without its photos: audited by what it says
        console().print("no image can be read: near duplicates are not looked for", style="yellow")
        dark = dark.iloc[:0]
        table = table.with_rows(table.rows.drop(columns=["content", "phash"], errors="ignore"))
    table = table.with_failures(Failure(image, "the image cannot be read") for image in dark["image"])
    table = annotate(table.with_rows(table.rows.drop(dark.index)), recipe.encounters)
    return assign(table, recipe.splitter, seed=recipe.seed_of_split)


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
