"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

RecipePath = Annotated[
    str, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)
]
RunPath = Annotated[
    str, typer.Argument(metavar="RUN", help="A folder that `reid run` wrote.", show_default=False)
]
Profiles = Annotated[
    list[str] | None,
    typer.Option("--profile", "-p", metavar="NAME", help="A profile of the recipe; may be given again."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One key, as in loss.margin=0.3; may be given again."),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps; the recipe's own if not given."),
]
