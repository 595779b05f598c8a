"""`reid schema`: the JSON schema of a recipe with the plugins that are installed, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="[RECIPE]", help="Write its schema, with its packs, where its own line says."),
    ] = None,
    pack: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Without RECIPE: also load this pack; may be given again."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Without RECIPE: write it here, not to the screen.")
    ] = None,
) -> None:
    """Write the JSON schema of a recipe, with every option that is installed, for an editor.

    An editor with a YAML language server then completes and checks the recipe, whose first comment is
    [bold]# yaml-language-server: $schema=recipe.schema.json[/]

    Example: [bold]reid schema species/bears/recipe.yaml[/]
    """
    from wildreid.errors import UserError
    from wildreid.recipe.find import find_recipe
    from wildreid.recipe.schema import schema_text, write_schema
    from wildreid.registry import Registry

    if recipe is not None:
        if pack or out:
            raise UserError("a recipe names its packs and its file itself", where="--pack, --out")
        written, registry = write_schema(find_recipe(recipe))
        typer.echo(f"written: {written}")
    else:
        registry = Registry(packs=pack or ())
        if out is None:
            typer.echo(schema_text(registry), nl=False)
        elif out.parent.is_dir():
            out.write_text(schema_text(registry), encoding="utf-8")
        else:
            raise UserError(f"there is no folder {out.parent}", where="--out", cure="make it first")
    for broken in registry.broken:
        typer.echo(f"not loaded: {broken}", err=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)
