"""`reid report`: write a run's report again."""

from __future__ import annotations

import typer

from wildreid.cli.arguments import RunPath, Settings


def report(run: RunPath, set_: Settings = None) -> None:
    """Write a finished run's report again, from what its folder holds; nothing is measured again.

    Of the recipe's keys only [bold]reporters[/] and [bold]private[/] may be set.

    Example: [bold]reid report runs/bears-sample --set private=true[/]
    """
    from dataclasses import replace
    from pathlib import Path

    from wildreid.errors import UserError
    from wildreid.pipeline import RunFolder, load_results
    from wildreid.progress import console

    folder = RunFolder(Path(run))
    before, after = folder.measured().recipe, folder.measured(set_ or ()).recipe
    shown = {"reporters", "private"}
    if before.model_dump(exclude=shown) != after.model_dump(exclude=shown):
        raise UserError(
            "a report only shows what was measured: of the recipe, reporters and private may be set",
            where="--set",
            cure="measure with other settings by: reid evaluate RUN --set …",
        )
    if not after.reporters:
        raise UserError(
            "the run's recipe names no reporter",
            where="reporters",
            cure="add: --set reporters=[html,terminal]",
        )
    results = replace(load_results(folder.path), recipe=after.model_dump(mode="json"))
    folder.report.mkdir(exist_ok=True)
    for reporter in after.reporters:
        for path in reporter.write(results=results, folder=folder.report):
            console().print(f"written {path}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)
