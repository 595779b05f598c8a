"""How a check speaks: which option, what is wrong with it, and what to do."""

from __future__ import annotations

from typing import Any

from wildreid.option import Option


def hold(true: Any, option: Option | type[Option], otherwise: str) -> None:
    """Raise AssertionError with the option's name and place unless `true`.

    Args:
        true: what must hold; anything with a truth value.
        option: the option that is checked, or its class.
        otherwise: the rest of the sentence that begins with the option's name.
    """
    cls = option if isinstance(option, type) else type(option)
    if not true:
        raise AssertionError(f"{cls.kind} {cls.name} ({cls.__module__}.{cls.__qualname__}) {otherwise}")


def built(thing: Any, option: Option | type[Option], *, callable_with: str = "", members: str = "") -> None:
    """Raise AssertionError unless what an option built can be used as its kind is.

    Args:
        thing: what its method returned.
        option: the option that is checked.
        callable_with: the arguments it is called with; empty where it is not called.
        members: what it must have, with blanks between.
    """
    if callable_with:
        what = f"something that is called with ({callable_with})"
        hold(callable(thing), option, f"built {type(thing).__name__}, not {what}; is a return missing?")
    for name in members.split():
        hold(hasattr(thing, name), option, f"built {type(thing).__name__}, which has no '{name}'")
