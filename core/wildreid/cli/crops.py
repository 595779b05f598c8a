"""`reid crops`: each animal as a picture of its own, for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Profiles, RecipePath, Settings


def crops(
    recipe: RecipePath,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write; new or empty.")],
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Context around a box, as a share of its longer side; the recipe's own if not given.",
        ),
    ] = None,
    profile: Profiles = None,
    set_: Settings = None,
) -> None:
    """Write each animal of a recipe's data as a JPEG without a header, and crops.csv, which `table` reads back.

    Example: [bold]reid crops recipe.yaml --out crops --margin 0.05[/]
    """
    from rich.console import Console

    from wildreid.data.crops import TABLE, write_crops
    from wildreid.pipeline.reading import said
    from wildreid.recipe import load_recipe

    chosen = load_recipe(recipe, profiles=profile or (), settings=set_ or ()).recipe
    table = chosen.dataset.table()
    said(table)
    context = chosen.images.margin if margin is None else margin
    written = write_crops(table, out, margin=context, max_pixels=chosen.images.max_pixels)
    console = Console(highlight=False)
    left_out = f"; {len(written.failures)} left out (failures.csv)" if written.failures else ""
    console.print(
        f"{len(written.rows)} crops in {out}, listed in {TABLE}{left_out}", soft_wrap=True, markup=False
    )
    console.print(
        f"  read them back: dataset: {{name: table, root: {out}, file: {TABLE}}}",
        soft_wrap=True,
        markup=False,
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(crops)
