"""`reid data`: a page to look at before training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildreid.cli.arguments import Profiles, Settings

if TYPE_CHECKING:
    import pandas as pd

    from wildreid.pipeline.recognise import Recognised


def data(
    target: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="The recipe, or another tool's export as it is.", show_default=False
        ),
    ],
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
    deployments: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the deployments that the source has, as CSV, for effort.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Look at the data of a recipe: individuals, encounters, bursts, cameras, near duplicates, and the split.

    Example: [bold]reid data species/bears/recipe.yaml --augmented[/]
    """
    from rich.console import Console

    from wildreid.cli.arguments import writable
    from wildreid.pipeline.reading import masks_of, of_recipe
    from wildreid.pipeline.recognise import recognised
    from wildreid.recipe import load_recipe
    from wildreid.survey import write
    from wildreid.survey.augmented import contact_sheet

    writable(deployments)
    known = recognised(Path(target))
    if known is not None:
        if profile or set_ or augmented:
            raise typer.BadParameter("--profile, --set and --augmented go with a recipe")
        files = _of_export(known, Path(target), out)
        effort = known.dataset().deployments()
    else:
        loaded = load_recipe(target, profiles=profile or (), settings=set_ or ())
        chosen = loaded.recipe
        table = of_recipe(loaded, must=False)
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
            masks=masks_of(table, chosen),
        )
        effort = chosen.dataset.deployments()
    if deployments is not None:
        _write_deployments(effort, deployments, target)
        files.append(deployments)
    console = Console(highlight=False)
    for file in files:
        console.print(str(file), markup=False, soft_wrap=True)


def _of_export(known: Recognised, path: Path, out: Path | None) -> list[Path]:
    """The page of data that no recipe reads yet, divided as `reid new species` would."""
    from wildreid.authoring.species import choose_splitter
    from wildreid.errors import UserError
    from wildreid.pipeline.reading import opened, said, undivided
    from wildreid.recipe.settings import Encounters, Images
    from wildreid.survey import write

    table = known.table()
    said(table)
    table = opened(table, Encounters(event="event" in table.rows)).table
    try:
        splitter, why, divided = choose_splitter(table, parts=False)
    except UserError as error:
        splitter, why, divided = "open-set", [], undivided(table, error.what)
    name = path.absolute().stem
    return write(
        divided.with_notes(why),
        out or Path("runs") / f"{name}-data",
        title=name,
        splitter=f"the {splitter} splitter, seed 0",
        size=Images().size,
    )


def _write_deployments(effort: pd.DataFrame | None, file: Path, target: str) -> None:
    from wildreid.errors import UserError
    from wildreid.files import put

    if effort is None:
        raise UserError(
            "this source knows no deployments",
            where=target,
            cure="write them yourself: deployment, station, camera, start, end",
        )
    put(file, lambda aside: effort.to_csv(aside, index=False))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(data)
