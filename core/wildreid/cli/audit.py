"""`reid audit`: what a split leaks, be it of a recipe, of a run, or anyone's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wildreid.cli.arguments import Columns, Dates, Profiles, Settings, Unknown, said_of_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wildreid.data.table import Table

PHOTOS = {"whole": "as they are", "hidden": "the animal hidden", "alone": "the place hidden"}


def audit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A recipe, a run's folder, a table, or another tool's export.",
            show_default=False,
        ),
    ],
    profile: Profiles = None,
    set_: Settings = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where a table's images are; its own folder if not given."),
    ] = None,
    shortcut: Annotated[
        bool,
        typer.Option(
            "--shortcut",
            help="Of a finished run: how right it is with the animal, and with the place hidden.",
        ),
    ] = False,
    foreground: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The segmenter whose masks hide; the run's own if not given.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="Of embeddings from elsewhere: the run, or what `reid export` wrote, that made them.",
            show_default=False,
        ),
    ] = None,
    columns: Columns = None,
    dates: Dates = None,
    unknown: Unknown = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Count what test shares with train; exits with 1 if the split leaks, or a model knows places.

    A table needs columns for path, identity and part, and may have date and camera; usual names are
    understood, and so are the exports of other tools that say parts. Near duplicates are looked for where
    the images are at hand. With [bold]--shortcut[/] a run's test photos are looked at twice more, with the animal
    hidden and with the place hidden; those of [bold]reid evaluate --embeddings[/] by the model that embedded them.

    Example: [bold]reid audit metadata.csv[/]
    Example: [bold]reid audit runs/bears-sample --shortcut[/]
    """
    if (foreground or model) and not shortcut:
        raise typer.BadParameter(f"{'--foreground' if foreground else '--model'} goes with --shortcut")
    if shortcut:
        if profile or set_ or root or columns or dates or unknown:
            raise typer.BadParameter("--shortcut goes with a run's folder, as it is")
        _shortcut(target, foreground, model, json)
        return
    missed: Sequence[str] = ()
    table = _of_file(Path(target), root, columns, dates, unknown, bare=not (profile or set_))
    if table is None:
        table, missed = _of_recipe(target, profile or (), set_ or ())
    _show(table, missed, json)


def _of_file(
    file: Path, root: Path | None, columns: Columns, dates: Dates, unknown: Unknown, *, bare: bool
) -> Table | None:
    """Anyone's table; None where the file is none. ``bare``: nothing is set that goes with a recipe alone."""
    from wildreid.data.columns import is_table
    from wildreid.pipeline.reading import of_file
    from wildreid.pipeline.recognise import recognised

    said = said_of_table(columns, dates, unknown)
    known = None if columns or dates or unknown else recognised(file)
    if known is not None or is_table(file):
        if not bare:
            raise typer.BadParameter("--profile and --set go with a recipe")
        return of_file(file, root, known=known, **said)
    if columns or dates or unknown:
        raise typer.BadParameter("--columns, --dates and --unknown go with a table")
    return None


def _of_recipe(
    target: str, profiles: Sequence[str], settings: Sequence[str]
) -> tuple[Table, tuple[str, ...]]:
    """The split of a run or a recipe, and which shares its splitter could not reach."""
    from wildreid.data.splits import unreached
    from wildreid.data.table import Table
    from wildreid.files import read_json
    from wildreid.pipeline.folder import RunFolder
    from wildreid.pipeline.reading import of_recipe
    from wildreid.recipe import load_recipe

    folder = RunFolder(Path(target))
    if folder.split.is_file():
        kept = read_json(folder.audit) if folder.audit.is_file() else {}
        return Table.load(folder.split, folder.path), tuple(kept.get("unreached", ()))
    loaded = load_recipe(target, profiles=profiles, settings=settings)
    table = of_recipe(loaded)
    return table, unreached(table, loaded.recipe.splitter)


def _show(table: Table, missed: Sequence[str], as_json: bool) -> None:
    """Print what the parts share, and which shares the splitter could not reach."""
    import json

    from rich.console import Console

    from wildreid.data import audit

    found = audit.audit(table)
    if as_json:
        told = {**found.as_dict(), "unreached": list(missed)}
        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        console = Console(highlight=False)
        console.print(found)
        for shortfall in missed:
            console.print(
                f"! the splitter could not reach a share: {shortfall}",
                markup=False, soft_wrap=True, style="yellow",
            )  # fmt: skip
    if found.leaks:
        raise typer.Exit(1)


def _shortcut(run: str, foreground: str | None, model: Path | None, as_json: bool) -> None:
    import json

    from rich.console import Console
    from rich.table import Table as RichTable

    from wildreid.page import percent

    if model is None:
        from wildreid.pipeline.shortcut import audit_shortcut

        found = audit_shortcut(run, foreground=foreground)
    else:
        from wildreid.identification.shortcut import audit_embeddings

        found = audit_embeddings(run, model, foreground=foreground)
    if as_json:
        plain = {key: value for key, value in found.items() if key != "strips"}
        typer.echo(json.dumps(plain, indent=1, ensure_ascii=False))
    elif "reason" in found:
        Console(highlight=False).print(f"not measured: {found['reason']}", markup=False)
    else:
        console = Console(highlight=False)
        table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in (f"accuracy@1, {found['protocol']}", "value", "interval"):
            table.add_column(column, justify="left" if column.startswith("acc") else "right")
        for name, words in PHOTOS.items():
            one = found[name]
            ends = "" if one["low"] is None else f"{percent(one['low'])} to {percent(one['high'])}"
            table.add_row(words, percent(one["value"]), ends)
        console.print(table)
        console.print(found["says"], markup=False, soft_wrap=True, style="yellow" if found["warning"] else "")
        console.print(_how(found), markup=False, soft_wrap=True, style="dim")
        console.print(f"written {Path(run) / 'shortcut.json'}; reid report {run} shows it", soft_wrap=True)
    if found.get("warning"):
        raise typer.Exit(1)


def _how(found: Mapping[str, Any]) -> str:
    """By what the animals were hidden, and on how many photos the figures stand."""
    masks = found["masks"]
    by = "the middle of each box" if masks["by"] is None else f"masks of {masks['by']}"
    whole = f", of {masks['whole']} photos the middle of the box" if masks["whole"] else ""
    few = "; with so few individuals intervals are too narrow" if found["too_few"] else ""
    return f"hidden by {by}{whole}; {found['n']} photos of {found['individuals']} individuals{few}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)
