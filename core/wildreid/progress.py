"""All that the engine says while it works: lines, notes and progress bars, on standard error, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
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

_SILENT: ContextVar[bool] = ContextVar("silent", default=False)
_WORDS: ContextVar[Callable[[str], str]] = ContextVar("words", default=str)


@contextmanager
def quiet() -> Iterator[None]:
    """Within it this thread says nothing: no line, no note, no bar. `WILDREID_QUIET=1` keeps all of it silent.

    For servers, notebooks and tests. Errors are raised as ever, and what a function returns it still returns.

    >>> with quiet():
    ...     say("nobody reads this")
    """
    before = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(before)


@contextmanager
def worded(by: Callable[[str], str]) -> Iterator[None]:
    """Within it each line and note goes through `by` first: the command line puts its flags for our arguments."""
    before = _WORDS.set(by)
    try:
        yield
    finally:
        _WORDS.reset(before)


def silent() -> bool:
    """Whether nothing is to be said."""
    return _SILENT.get() or os.environ.get("WILDREID_QUIET", "0") not in ("", "0")


def say(text: str) -> None:
    """One line of what goes on, as it is, on standard error; one that begins with ``!`` in yellow."""
    if not silent():
        style = "bold yellow" if text.startswith("!") else None
        console().print(visible(_WORDS.get()(text)), style=style, markup=False, soft_wrap=True)


def visible(text: str) -> str:
    """A text in which what would steer the terminal is written out: names come from anywhere."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1] for letter in text
    )


def note(text: str) -> None:
    """A line that one should read: something is not as one might expect."""
    say(f"! {text}")


def console() -> Console:
    """The console for progress and notes: standard error, looked up again so that tests can capture it.

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
    if silent() or out.quiet or not out.is_terminal:
        yield from items
        return
    if total is None:
        total = len(items) if isinstance(items, Sized) else None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True) as progress:
        words = what if callable(what) else lambda: what
        task = progress.add_task(words(), total=total)
        for item in items:
            yield item
            progress.update(task, advance=1, description=words())
