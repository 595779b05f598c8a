"""Progress bars for long work: one form for every stage, on standard error, silent where nobody looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")


def console() -> Console:
    """The console for progress and notes: standard error, looked up anew so that tests can capture it.

    Of several processes that ``torchrun`` started, the first alone speaks.
    """
    return Console(stderr=True, highlight=False, quiet=os.environ.get("RANK", "0") != "0")


def bar(items: Iterable[T], what: str | Callable[[], str], *, total: int | None = None) -> Iterator[T]:
    """Yield `items`, with a bar named `what` on a terminal; off a terminal nothing is drawn.

    Args:
        items: what is worked through.
        what: the words before the bar, such as ``"embedding"``; or a function that is asked for them after
            each item, so that they can tell how it goes.
        total: how many items there are; their own length where that is known.
    """
    out = console()
    if total is None:
        total = len(items) if isinstance(items, Sized) else None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=out, transient=True, disable=out.quiet or not out.is_terminal
    ) as progress:
        words = what if callable(what) else lambda: what
        task = progress.add_task(words(), total=total)
        for item in items:
            yield item
            progress.update(task, advance=1, description=words())
