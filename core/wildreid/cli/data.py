"""`reid data`: a page to look at before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Profiles, RecipePath, Settings

if TYPE_CHECKING:
    from wildreid.data.table import Table
    from wildreid.recipe import Recipe
    from wildreid.survey.pictures import Pixels

SHOWN, TIMES = 8, 7
"""Images on the contact sheet, and how often each is augmented."""


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

    from wildreid.cli.audit import of_recipe
    from wildreid.recipe import load_recipe
    from wildreid.survey import write

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


def contact_sheet(table: Table, recipe: Recipe) -> list[list[Pixels]]:
    """Training images of different individuals, each as it is and as the recipe's transforms change it.

    Returns:
        `SHOWN` rows at most, each of one image and `TIMES` augmented forms, (size, size, 3) uint8.
    """
    import numpy as np
    import torch

    from wildreid.data.store import open_images
    from wildreid.places import cache_folder

    train = table.rows[table["part"] == "train"]
    chosen = train.drop_duplicates("identity").head(SHOWN)
    picked = table.with_rows(chosen)
    images = open_images(picked, recipe.images, cache=cache_folder())
    pixels = images.take(np.flatnonzero(images.usable))
    torch.manual_seed(recipe.seed)
    seen = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255).repeat_interleave(TIMES, dim=0)
    for transform in recipe.transforms:
        seen = transform.build(size=recipe.images.size)(seen)
    changed = seen.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    return [[image, *changed[n * TIMES : (n + 1) * TIMES]] for n, image in enumerate(pixels)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(data)
