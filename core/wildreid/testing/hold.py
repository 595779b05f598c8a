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
