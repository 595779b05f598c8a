"""`reid check`: everything that is wrong with a recipe, before anything runs."""

from __future__ import annotations

from typing import Annotated

import typer

from wildreid.cli.arguments import Profiles, RecipePath, Settings


def check(
    recipe: RecipePath,
    profile: Profiles = None,
    set_: Settings = None,
    build: Annotated[
        bool,
        typer.Option(
            "--build",
            help="Also build model, loss and the rest, and say what matchers cost here; reads no data.",
        ),
    ] = False,
) -> None:
    """Check a recipe: every mistake at once, each with its key and line."""
    from rich.console import Console

    from wildreid.cli.words import as_typed
    from wildreid.recipe import load_recipe

    loaded = load_recipe(recipe, profiles=profile or (), settings=set_ or ())
    out = Console(highlight=False)
    for note in loaded.notes:
        out.print(f"! {as_typed(note)}", markup=False, style="yellow")
    if build:
        from wildreid.pipeline import check_build

        for sentence in check_build(loaded):
            out.print(sentence, markup=False, soft_wrap=True)
    out.print(f"{recipe}: nothing wrong{', and everything builds' if build else ''}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)
