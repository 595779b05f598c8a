"""The leaderboard: in the terminal, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from wildreid.files import cell
from wildreid.page.words import count
from wildreid.search.ledger import Entry, best
from wildreid.search.load import Search

FILE = "leaderboard.csv"
SHOWN = 12
"""Trials that the terminal shows; the CSV and the page have all."""


def ranked(listed: Sequence[Entry]) -> list[Entry]:
    """Finished trials first, the best of them first; then those without an end, then the failed."""
    place = {"done": 0, "stopped early": 1, "running": 2, "waiting": 3, "failed": 4}
    return sorted(listed, key=lambda entry: (place[entry.state], -(entry.value or 0.0), entry.number))


def table(search: Search, listed: Sequence[Entry]) -> RenderableType:
    """The best trials, with what was drawn, and how many there are of each kind."""
    recipe = search.base.recipe
    stamp = f" [{recipe.stamp}]" if recipe.stamp else ""
    grid = Table(
        title=Text(f"{search.name}{stamp} · validation {recipe.training.watch}", style="bold"),
        title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim",
    )  # fmt: skip
    for column in ("trial", recipe.training.watch, "epoch", "time"):
        grid.add_column(column, justify="right", no_wrap=True)
    grid.add_column("drawn")
    choices = {one.name for one in search.space.draws if one.values() is not None}
    shown = choices or {one.name for one in search.space.draws}
    for entry in ranked(listed)[:SHOWN]:
        figure = "–" if entry.value is None else f"{entry.value:.3f}"
        if entry.state != "done":
            figure += f" {entry.state}"
        text = entry.reason or drawn(entry, shown)
        epoch = "" if entry.epoch is None else f"{entry.epoch}/{entry.epochs}"
        grid.add_row(str(entry.number), Text(figure), epoch, duration(entry.seconds), Text(text))
    below = [Text(summary(listed), style="dim")]
    if (winner := best(list(listed))) is not None:
        below.insert(0, Text(f"trial {winner.number} drew: {drawn(winner)}"))
    return Group(grid, *below)


def drawn(entry: Entry, names: Collection[str] | None = None) -> str:
    """What was drawn, for these names or for all; a word needs no name beside it where names are few."""
    if names is None:
        return ", ".join(f"{name} {short(value)}" for name, value in entry.values.items())
    return ", ".join(
        value if isinstance(value, str) else f"{name.rpartition('.')[2]} {short(value)}"
        for name, value in entry.values.items()
        if name in names
    )


def summary(listed: Sequence[Entry]) -> str:
    """How many trials there are of each kind, and what the best of them is worth."""
    counts = {
        state: sum(entry.state == state for entry in listed)
        for state in dict.fromkeys(e.state for e in listed)
    }
    text = f"{count(len(listed), 'trial')}: " + ", ".join(f"{n} {state}" for state, n in counts.items())
    if (winner := best(list(listed))) is not None:
        text += (
            f". The best is trial {winner.number}. The highest of {counts['done']} validation figures "
            "flatters: only `final=True` says what it is worth on photos that chose nothing"
        )
    return text + "." if listed else "There is no trial yet."


def final_table(found: Mapping[str, Any]) -> RenderableType:
    """What the test part said."""
    label = f" · optimistic: {found['optimistic']}" if found["optimistic"] else ""
    stamp = f" [{found['stamp']}]" if found["stamp"] else ""
    grid = Table(
        title=Text(f"test accuracy@1, {found['protocol']}{stamp}{label}", style="bold"),
        title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim",
    )  # fmt: skip
    for column in (
        "",
        "mean",
        f"interval over {len(found['seeds'])} seeds",
        "interval by individual",
        "each seed",
    ):
        grid.add_column(column)
    for name, row in final_rows(found):
        each = " ".join(f"{value:.3f}" for value in row["values"])
        grid.add_row(
            name, f"{row['mean']:.3f}", between(row["over_seeds"]), between(row["by_individual"]), each
        )
    return Group(grid, Text(final_note(found), style="dim"))


def final_rows(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The winner, the recipe as it is, and their difference, each with its words."""
    words = {"best": f"trial {found['trial']}", "default": "the recipe as it is"}
    rows = [(words[row["who"]], row) for row in found["rows"]]
    return [*rows, ("difference", found["difference"])] if found["difference"] else rows


def final_note(found: Mapping[str, Any]) -> str:
    """The n behind the figures, and what the difference allows to say."""
    note = f"n = {found['queries']} mated queries of {found['individuals']} individuals."
    if found["individuals"] < 30:
        note += " Under 30 individuals the interval by individual is wide and rough."
    if (difference := found["difference"]) is not None and difference["by_individual"] is not None:
        intervals = (difference["over_seeds"], difference["by_individual"])
        apart = all(low > 0 for low, _ in intervals) or all(high < 0 for _, high in intervals)
        words = "Both intervals of the difference exclude zero." if apart else "The difference may be chance."
        note += f" {words}"
    return note


def write_csv(path: Path, search: Search, listed: Sequence[Entry]) -> None:
    """Every trial, a column for each draw; empty where it was not drawn."""
    names = [one.name for one in search.space.draws]
    columns = (
        "rank",
        "trial",
        "state",
        search.base.recipe.training.watch,
        "epoch",
        "epochs",
        "seconds",
        "folder",
        "reason",
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, *names])
        for rank, entry in enumerate(ranked(listed), 1):
            fixed = (
                entry.number,
                entry.state,
                entry.value,
                entry.epoch,
                entry.epochs,
                entry.seconds,
                entry.folder,
            )
            values = [entry.values.get(name) for name in names]
            writer.writerow(map(cell, [rank, *fixed, entry.reason, *values]))


def short(value: object) -> str:
    """A drawn value in few signs."""
    return f"{value:.3g}" if isinstance(value, float) else "none" if value is None else str(value)


def between(interval: Sequence[float] | None) -> str:
    """An interval in words."""
    return "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
