"""`reid schema`: the JSON schema of a recipe with the plugins that are installed, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    pack: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Also load this species pack; may be given again."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it here instead of to the screen.")
    ] = None,
) -> None:
    """Print the JSON schema of a recipe, with every option that is installed.

    An editor with a YAML language server then completes and checks a recipe whose first line names the file.

    Example: [bold]reid schema --out recipe.schema.json[/], and as first line of the recipe:
    [bold]# yaml-language-server: $schema=recipe.schema.json[/]
    """
    import json

    from wildreid.errors import UserError
    from wildreid.recipe.schema import recipe_schema
    from wildreid.registry import Registry

    registry = Registry(packs=pack or ())
    text = json.dumps(recipe_schema(registry), indent=1, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    elif out.parent.is_dir():
        out.write_text(text, encoding="utf-8")
    else:
        raise UserError(f"there is no folder {out.parent}", where="--out", cure="make it first")
    for broken in registry.broken:
        typer.echo(f"not loaded: {broken}", err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)
