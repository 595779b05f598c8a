"""`reid recipes`: the recipes that can be run by name, and those that lie near."""

from __future__ import annotations

from pathlib import Path

import typer

NEAR = ("recipe.yaml", "*/recipe.yaml", "*/*/recipe.yaml")


def recipes() -> None:
    """List the recipes of the installed packs, and those in this folder and up to two folders below it."""
    from rich.console import Console
    from rich.table import Table

    from wildreid.recipe.find import installed_recipes

    here = {
        str(path): path for pattern in NEAR for path in sorted(Path().glob(pattern)) if not _is_of_a_run(path)
    }
    out = Console(highlight=False)
    found = {**installed_recipes(), **here}
    if not found:
        out.print("no recipe is installed, and none is near; write a pack with: reid new species NAME")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("reid run …", "profiles", "what it is"):
        table.add_column(column, overflow="fold")
    for name, path in found.items():
        table.add_row(name, *_about(path))
    out.print(table)


def _is_of_a_run(path: Path) -> bool:
    return (path.parent / "run.json").is_file()


def _about(path: Path) -> tuple[str, str]:
    from wildreid.cli.words import as_typed
    from wildreid.errors import UserError
    from wildreid.recipe.lines import read_yaml

    try:
        raw, _ = read_yaml(path)
    except UserError as error:
        return "", as_typed(str(error))
    about = str(raw.get("about") or "").strip().partition("\n")[0]
    return ", ".join(raw.get("profiles") or ()), about


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(recipes)
