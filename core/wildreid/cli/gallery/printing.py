"""How the commands about a gallery print: tables, days, and changes in words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from wildreid.gallery.rule import Rule

WIDE = 160
"""Columns where nobody says how many there are."""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """Print a table; the columns in `numbers` are aligned at the right. A cell may be a rich `Text`."""
    from rich.table import Table
    from rich.text import Text

    from wildreid.progress import visible

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in row))
    out().print(table)


def out() -> Any:
    """The terminal; where the output goes to a file or a pipe, a wide one."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=WIDE)


def say(text: str, *, style: str | None = None) -> None:
    """Print one line; it is never broken, so that a digest or a name can be taken from it."""
    from wildreid.progress import visible

    out().print(visible(text), style=style, markup=False, soft_wrap=True)


def say_rule(rule: Rule, notes: Sequence[str]) -> None:
    """Print what was fitted, on how much, and what one should know of it."""
    for note in notes:
        say(f"note: {note}")
    decision = rule.decision
    between = ""
    if decision.accepts is not None:
        low, high = decision.accepts
        between = f"; of other animals {100 * low:.0f} to {100 * high:.0f} %"
    simulated = ", unknowns simulated" if decision.simulated else ""
    say(
        f"known from {decision.threshold:.3f} ({100 * decision.target:g} % of unknown animals are taken for "
        f"known{between}), new below {rule.new_below:.3f} ({100 * rule.known_called_new:g} % of known ones are "
        f"called new); fitted on {sum(decision.queries)} images{simulated}"
    )
    say(decision.in_words)


def say_fused(gallery: Path, *, left: bool = False) -> None:
    """Print how a gallery matches, and unless they were `left` as they are the thresholds for that."""
    from wildreid.gallery.store import Gallery
    from wildreid.identification.local import described

    state = Gallery(gallery).state
    if state.manifest.matching is not None:
        say(described(state))
        if state.fused is not None and not left:
            say("for photos that are matched:")
            say_rule(state.fused, ())


def each(frame: Any) -> Any:
    """The rows of a frame, as named tuples."""
    return frame.itertuples()


def day(when: Any) -> str:
    """A date; empty where there is none."""
    return "" if when != when or when is None else f"{when:%Y-%m-%d}"


def moment(when: Any) -> str:
    """A date and time; empty where there is none."""
    return "" if when != when or when is None else f"{when:%Y-%m-%d %H:%M:%S}"


def words(kind: str, what: dict[str, Any]) -> str:
    """A change in a few words."""
    who, into = what.get("individual", ""), what.get("into") or what.get("to", "")
    count = len(what.get("keys") or ())
    return {
        "create": "create",
        "add": f"add {what.get('rows')} images of {what.get('individuals')} individuals "
        f"from {what.get('source')}",
        "rename": f"rename '{who}' to '{into}'",
        "merge": f"merge '{who}' into '{into}'",
        "split": f"split {count} images of '{who}' into '{into}'",
        "remove": f"remove {f'{count} images of ' if count else ''}'{who}'",
        "different": f"{len(what.get('keys') or ())} and {len(what.get('others') or ())} images are of two animals",
        "withdraw": f"withdraw change {what.get('change')}",
        "calibrate": "calibrate",
        "features": f"local features by {' and '.join(what.get('matchers') or ())} of {what.get('rows')} images",
        "undo": f"undo change {what.get('undone')}",
    }[kind]
