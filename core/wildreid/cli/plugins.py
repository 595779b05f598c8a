"""`reid plugins`: what there is to choose from, who offers it, and its fields."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from wildreid.option import Option
    from wildreid.registry import Registry


def plugins(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Such as loss or losses.")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Such as arcface.")] = None,
    pack: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Also load this species pack; may be given again."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check that each option keeps the contract of its kind.")
    ] = False,
) -> None:
    """List every option; with a kind, its options; with a name too, that option's fields.

    With [bold]--check[/] each plugin is imported and each option built and tried, or those of the kind, or the one
    that is named; the exit code is 1 where one does not keep its contract.
    """
    from rich.console import Console

    from wildreid.errors import UserError
    from wildreid.kinds import KINDS
    from wildreid.option import did_you_mean
    from wildreid.registry import Registry

    registry = Registry(packs=pack or ())
    out = Console(highlight=False)
    kinds = [known for known in KINDS if kind in (None, known.kind, known.plural())]
    if not kinds:
        names = [known.kind for known in KINDS]
        raise UserError(
            f"there is no kind '{kind}'{did_you_mean(str(kind), names)}; there are: {', '.join(names)}"
        )
    if check:
        if name is not None:
            _chosen(registry, kinds[0], name)
        _check(out, registry, kind, name)
        return
    for known in kinds:
        if name is None:
            _list(out, registry, known)
            continue
        _fields(out, registry, _chosen(registry, known, name))
    for broken in registry.broken:
        out.print(f"not loaded: {broken}", style="bold red", markup=False)
    for note in registry.notes:
        out.print(note, style="yellow", markup=False)


def _chosen(registry: Registry, kind: type[Option], name: str) -> type[Option]:
    from wildreid.errors import UserError

    try:
        return registry.choose(kind.kind, name)
    except ValueError as error:
        raise UserError(str(error)) from None


def _check(out: Console, registry: Registry, kind: str | None, name: str | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from wildreid.kinds import KINDS
    from wildreid.progress import bar
    from wildreid.testing import check_registered

    total = None
    if kind is None:
        total = len(registry.broken) + len(registry.sources)
        total += sum(len(registry.options(one.kind)) for one in KINDS)
    verdicts = list(bar(check_registered(registry, kind=kind, name=name), "checking", total=total))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for verdict in verdicts:
        if verdict.kept is not True:
            table.add_row(_mark(verdict.kept), verdict.of, escape(verdict.words))
    out.print(table)
    kept, broken = (sum(verdict.kept is state for verdict in verdicts) for state in (True, False))
    out.print(
        f"{kept} keep their contract, {broken} do not, {len(verdicts) - kept - broken} could not be seen"
    )
    if broken:
        raise typer.Exit(1)


def _mark(kept: bool | None) -> str:
    return "[dim]not checked[/]" if kept is None else "[bold red]broken[/]"


def _list(out: Console, registry: Registry, kind: type[Option]) -> None:
    from rich.table import Table

    table = Table(
        title=kind.plural(), title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0)
    )
    for column in ("name", "what it is", "from"):
        table.add_column(column, header_style="dim")
    for option in registry.options(kind.kind).values():
        source = registry.source(option)
        table.add_row(option.name, option.summary(), f"{source.plugin} {source.version}".strip())
    out.print(table)
    out.print()


def _fields(out: Console, registry: Registry, option: type[Option]) -> None:
    import inspect

    from rich.table import Table

    source = registry.source(option)
    out.print(
        f"[bold]{option.name}[/], a {option.kind} from {source.plugin} ({source.place})", soft_wrap=True
    )
    out.print(inspect.getdoc(option) or "", markup=False)
    if not option.model_fields:
        out.print("It has no fields.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("field", "type", "default", "bounds", "description"):
        table.add_column(column)
    schema: dict[str, Any] = option.model_json_schema(mode="validation").get("properties", {})
    for field, info in option.model_fields.items():
        default = "required" if info.is_required() else repr(info.get_default(call_default_factory=True))
        bounds = ", ".join(filter(None, map(_bound, info.metadata)))
        kind = str(info.annotation).replace("typing.", "") if "|" in str(info.annotation) else ""
        kind = kind or schema.get(field, {}).get("type", "") or getattr(info.annotation, "__name__", "")
        table.add_row(field, kind, default, bounds, info.description or "")
    out.print(table)


def _bound(rule: object) -> str:
    """A rule of a field as a reader writes it: Ge(ge=0) is ≥ 0."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "at least", "max_length": "at most"}
    return ", ".join(f"{sign} {getattr(rule, name)}" for name, sign in signs.items() if hasattr(rule, name))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plugins)
