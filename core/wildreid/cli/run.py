"""`reid run`: from photos to a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from wildreid.cli.arguments import Device, Profiles, Settings


def run(
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)
    ] = None,
    profile: Profiles = None,
    set_: Settings = None,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="The folder of run folders.")] = "runs",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the run; the recipe's own if not given.")
    ] = None,
    device: Device = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run that was stopped, instead of a recipe."),
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Train on N GPUs of this machine; with --device cpu, in N processes."
        ),
    ] = None,
) -> None:
    """Run a recipe: read the photos, split, train, rank, measure and report.

    Example: [bold]reid run species/bears/recipe.yaml[/]

    On several machines start the same command on each with torchrun:
    [bold]torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-endpoint HOST -m wildreid run …[/]
    """
    if (recipe is None) == (resume is None):
        raise typer.BadParameter("give either a recipe, or --resume and the folder of a run")
    if resume is not None and (profile or set_ or name):
        raise typer.BadParameter(
            "a resumed run keeps its recipe: --profile, --set and --name do not go with it"
        )
    # the recipe is read before anything heavy is imported, so that a mistake is told at once
    from wildreid.recipe import load_recipe

    loaded = None if recipe is None else load_recipe(recipe, profiles=profile or (), settings=set_ or ())
    if gpus is not None and gpus > 1:
        from wildreid.pipeline.folder import RunFolder
        from wildreid.training.launch import launch

        if device is None:
            device = (loaded or RunFolder(Path(str(resume))).load_recipe()).recipe.device
        launch(gpus, _without_gpus(sys.argv[1:]), device=device)
    elif loaded is not None:
        from wildreid.pipeline import run as run_recipe

        run_recipe(loaded, out=out, name=name, device=device)
    elif resume is not None:
        from wildreid.pipeline import resume as go_on

        go_on(resume, device=device)


def _without_gpus(arguments: list[str]) -> list[str]:
    """The command line that each process is started with."""
    at = next(n for n, word in enumerate(arguments) if word.split("=")[0] == "--gpus")
    return arguments[:at] + arguments[at + (1 if "=" in arguments[at] else 2) :]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)
