"""`reid doctor`: what is installed here and what is missing, to read or to paste into an issue."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask whether there is a network.")
    ] = False,
) -> None:
    """Say what is installed here: versions, devices, caches, weights, network, and extras that are missing.

    Nothing private is in it: no path, no user or machine name, no value of a variable. Paste it into an issue.
    The exit code is 1 if something keeps wildreid from working.
    """
    from wildreid.pipeline.doctor import examine

    found = examine(ask_network=not offline)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)
    if found["problems"]:
        raise typer.Exit(1)


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = {
        "wildreid": found["wildreid"],
        "Python": found["python"],
        "system": f"{found['system']}, {found['cores']} cores",
        "devices": ", ".join(found["devices"]),
        "libraries": ", ".join(f"{name} {version}" for name, version in found["libraries"].items()),
        "plugins": ", ".join(f"{count} {what}" for what, count in found["plugins"].items()),
        **{f"cache of {name}": _cache(cache) for name, cache in found["caches"].items()},
        "weights": ", ".join(found["weights"]) or "none are in the cache",
        "network": found["network"],
        "variables": ", ".join(found["variables"]) or "none is set",
    }
    for name, extra in found["extras"].items():
        missing = ", ".join(extra["missing"])
        rows[f"extra {name}"] = f"missing: {missing} (for {extra['for']})" if missing else "installed"
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    out = Console(highlight=False)
    for name, value in rows.items():
        table.add_row(name, value)
    out.print(table, markup=False)
    for problem in found["problems"]:
        out.print(f"problem: {problem}", style="bold red", markup=False)
    if not found["problems"]:
        out.print("Nothing that wildreid needs is missing.")


def _cache(cache: dict[str, Any]) -> str:
    size = f"{cache['bytes'] / 1e6:,.0f} MB in {cache['files']:,} files"
    if parts := ", ".join(f"{name} {held / 1e6:,.0f}" for name, held in cache["parts"].items()):
        size += f" ({parts})"
    return f"{size}, {cache['place']}; {cache['free'] / 1e9:,.0f} GB free"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)
