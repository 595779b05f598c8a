"""`reid evaluate`: rank, score and report a trained run again."""

from __future__ import annotations

import typer

from wildreid.cli.arguments import Device, RunPath, Settings


def evaluate(run: RunPath, set_: Settings = None, device: Device = None) -> None:
    """Measure a trained run again, with other metrics, protocols or reports.

    Example: [bold]reid evaluate runs/bears-sample --set evaluation.bootstrap=5000[/]
    """
    from wildreid.pipeline import evaluate as measure

    measure(run, settings=set_ or (), device=device)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)
