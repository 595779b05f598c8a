"""What goes wrong, said to the person at the keyboard: what, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class UserError(Exception):
    """A mistake that the user can correct; the command line prints it without a traceback and exits with 2.

    Args:
        what: what is wrong, in one sentence.
        where: the file, row or key it was found in; empty where there is none.
        cure: what to do about it; empty where `what` says it.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f"\n  → {self.cure}" if self.cure else ""
        return f"{place}{self.what}{cure}"


def first_line(error: BaseException) -> str:
    """The first line of what an error says; its name where it says nothing."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def bare(message: str) -> str:
    """What pydantic reports of a value, without the words that it puts before those of a validator."""
    return message.removeprefix("Value error, ")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a recipe: the dotted path of the key, what is wrong, and its line where known."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        line = f" (line {self.line})" if self.line is not None else ""
        return f"{self.path or 'recipe'} | {self.message}{line}"


class RecipeError(UserError):
    """Everything that is wrong with one recipe, all at once."""

    def __init__(self, problems: Sequence[Problem], *, where: str = "", cure: str = "") -> None:
        self.problems = tuple(problems)
        count = "one thing is" if len(problems) == 1 else f"{len(problems)} things are"
        listing = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{count} wrong{listing}", where=where, cure=cure)


class PluginError(UserError):
    """A plugin or pack that cannot be used: which, and why."""


class Interrupted(UserError):
    """The user stopped a run; what is done is kept. The command line exits with 130."""
