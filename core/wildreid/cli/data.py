"""`reid data`: a page to look at before training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Profiles, RecipePath, Settings


def data(
    recipe: RecipePath,
    profile: Profiles = None,
    set_: Settings = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where to write; runs/NAME-data if not given.", show_default=False
        ),
    ] = None,
    augmented: Annotated[
        bool, typer.Option("--augmented", help="Also a sheet of images as training will see them.")
    ] = False,
) -> None:
    """Look at the data of a recipe: individuals, encounters, bursts, cameras, doubles, and the split.

    Example: [bold]reid data species/bears/recipe.yaml --augmented[/]
    """
    from rich.console import Console

    from wildreid.pipeline.reading import of_recipe
    from wildreid.recipe import load_recipe
    from wildreid.survey import write
    from wildreid.survey.augmented import contact_sheet

    loaded = load_recipe(recipe, profiles=profile or (), settings=set_ or ())
    chosen = loaded.recipe
    table = of_recipe(loaded)
    name = chosen.name if chosen.stamp in chosen.name else f"{chosen.name}-{chosen.stamp}"
    files = write(
        table,
        out or Path("runs") / f"{name}-data",
        title=name,
        stamp=chosen.stamp,
        splitter=f"the {chosen.splitter.name} splitter, seed {chosen.seed_of_split}",
        size=chosen.images.size,
        margin=chosen.images.margin,
        max_pixels=chosen.images.max_pixels,
        private=chosen.private,
        augmented=contact_sheet(table, chosen) if augmented else None,
    )
    console = Console(highlight=False)
    for file in files:
        console.print(str(file), markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(data)
