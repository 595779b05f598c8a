"""`reid evaluate`: rank, score and report a trained run again, or embeddings that came from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Device, Profiles, Settings

GIVEN = "Embeddings from elsewhere"


def evaluate(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A folder that `reid run` wrote.", show_default=False),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A .npy, .npz or .parquet, or a folder of shards.", rich_help_panel=GIVEN
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What they are of, one row for each; .csv or .parquet.",
            rich_help_panel=GIVEN,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the result is written.", rich_help_panel=GIVEN),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the photos are, if they are here.", rich_help_panel=GIVEN),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What each embedding is of, one on each line.", rich_help_panel=GIVEN
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The table's column that holds the ids.", rich_help_panel=GIVEN),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="RECIPE",
            help="Whose split, protocols, metrics and reports to use.",
            rich_help_panel=GIVEN,
        ),
    ] = None,
    profile: Profiles = None,
    set_: Settings = None,
    device: Device = None,
) -> None:
    """Measure a trained run again, with other metrics, protocols or reports; or embeddings from elsewhere.

    Example: [bold]reid evaluate runs/bears-sample --set evaluation.bootstrap=5000[/]

    Example: [bold]reid evaluate --embeddings mine.npy --table photos.csv --out runs/mine[/]
    """
    given = {
        "--table": table, "--out": out, "--root": root, "--ids": ids, "--match": match, "--recipe": recipe,
        "--profile": profile,
    }  # fmt: skip
    if embeddings is None:
        stray = [name for name, value in given.items() if value]
        if stray:
            raise typer.BadParameter(f"{' and '.join(stray)} goes with --embeddings")
        if run is None:
            raise typer.BadParameter("give a run's folder, or --embeddings")
        from wildreid.pipeline import evaluate as measure

        measure(run, settings=set_ or (), device=device)
        return
    if run is not None or device is not None:
        raise typer.BadParameter(f"{'RUN' if run is not None else '--device'} does not go with --embeddings")
    if out is None:
        raise typer.BadParameter("--embeddings needs --out")
    from wildreid.pipeline import evaluate_embeddings

    evaluate_embeddings(
        embeddings, table, out=out, root=root, ids=ids, match=match, recipe=recipe,
        profiles=profile or (), settings=set_ or (),
    )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)
