"""`reid search`: find the best recipe in a space of recipes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wildreid.cli.arguments import Device, Profiles, Settings

if TYPE_CHECKING:
    from wildreid.search.ledger import Entry
    from wildreid.search.load import Search


def search(
    space: Annotated[
        str, typer.Argument(metavar="SPACE", help="The space, a YAML file.", show_default=False)
    ],
    trials: Annotated[
        int | None,
        typer.Option(
            "-n", "--trials", metavar="N", min=0, help="Trials in all; the file's own if not given."
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Begin no further trial after this time."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A database that workers share, or a file; study.db if not given."),
    ] = None,
    join: Annotated[bool, typer.Option("--join", help="Join a study; refuse to begin one.")] = False,
    final: Annotated[
        bool,
        typer.Option("--final", help="Then train the best from several seeds and score the test part, once."),
    ] = False,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="The folder of run folders.")] = "runs",
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the study and its folder; the file's own if not given."),
    ] = None,
    profile: Profiles = None,
    set_: Settings = None,
    device: Device = None,
    grace: Annotated[
        int,
        typer.Option(
            metavar="SECONDS",
            min=4,
            help="A worker that is silent for this time is dead; its trial is run again.",
        ),
    ] = 60,
) -> None:
    """Search a space of recipes for the best on validation; the same command goes on after a stop.

    Example: [bold]reid search species/bears/search.yaml -n 30[/]
    """
    # the space is read before anything heavy is imported, so that a mistake is told at once
    from wildreid.search.load import load_search

    settings = [*(set_ or ()), *([f"device={device}"] if device else [])]
    loaded = load_search(space, profiles=profile or (), settings=settings, name=name)
    from wildreid.search.run import run_search

    run_search(
        loaded, out=out, trials=trials, timeout=timeout, storage=storage, join=join, final=final, grace=grace,
        show=partial(_show, loaded),
    )  # fmt: skip


def _show(search: Search, listed: list[Entry], found: Mapping[str, Any] | None, page: Path) -> None:
    from rich.console import Console

    from wildreid.search import board

    console = Console(highlight=False)
    console.print(board.table(search, listed))
    if found:
        console.print(board.final_table(found))
    console.print(f"page    {page}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(search)
