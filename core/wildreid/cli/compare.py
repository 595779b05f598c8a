"""`reid compare`: runs side by side, and whether they differ by more than noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN…",
            help="Folders that `reid run` wrote; the first is compared with.",
            show_default=False,
        ),
    ],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where test parts or protocols differ.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one page, such as compare.html.")
    ] = None,
) -> None:
    """Compare finished runs: their figures, the differences, and whether these are within noise.

    Example: [bold]reid compare runs/cows runs/cows-frozen[/]
    """
    from rich.console import Console

    from wildreid.evaluation.compare import compare as set_side_by_side
    from wildreid.pipeline import RunFolder, load_results
    from wildreid.recipe import Measurement

    results = [load_results(run) for run in runs]
    recipe: Measurement = RunFolder(results[0].folder).measured().recipe
    found = set_side_by_side(
        results,
        recipe.metrics,
        resamples=recipe.evaluation.bootstrap,
        confidence=recipe.evaluation.confidence,
        seed=recipe.seed,
        anyway=anyway,
    )
    out = Console(highlight=False)
    out.print(found)
    if html is not None:
        from wildreid.evaluation.comparison_page import comparison_page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(comparison_page(found, results), encoding="utf-8")
        out.print(f"written {html}", markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)
