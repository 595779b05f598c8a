"""The contract check of one option: its form, then what its kind asks for."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from wildreid import testing
from wildreid.data.table import Table
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import Registry
from wildreid.testing.hold import hold


def check_of(kind: type[Option]) -> Callable[..., None]:
    """What a kind asks of an option: the function ``check_<kind>`` of one of the modules ``testing/of_*.py``."""
    for module in pkgutil.iter_modules(testing.__path__):
        if module.name.startswith("of_"):
            found = getattr(import_module(f"{testing.__name__}.{module.name}"), f"check_{kind.kind}", None)
            if found is not None:
                return found  # type: ignore[no-any-return]
    raise LookupError(f"no module wildreid/testing/of_*.py has a check_{kind.kind}(option)")


ON_TABLES = ("splitter", "sampler")
"""Kinds whose options are tried on a table."""


def check_option(option: type[Option] | Option, *, table: Table | None = None) -> None:
    """Check that an option keeps the contract of its kind.

    Args:
        option: a class, which is then built with its defaults; or an object, where it has required fields or
            its defaults need something that is not there, such as a folder of photos or a network.
        table: annotated, to try a splitter or sampler on that needs another than `tiny_table`, such as one by
            camera.

    Raises:
        TypeError: a table for an option that is not tried on any.
        AssertionError: it does not; the message names the option, what is wrong and what to do.
        UserError: the option itself says what it lacks, such as a folder that is not there.
    """
    cls = option if isinstance(option, type) else type(option)
    _check_form(cls)
    _check_signature(cls)
    if isinstance(option, type):
        required = required_fields(cls)
        hold(not required, cls, f"has required fields ({', '.join(required)}); give an object, not the class")
        option = cls()
    plain = option.model_dump(mode="json")
    again = cls.model_validate(plain, context={"registry": _Known(option)})
    hold(again == option, cls, f"is not itself again after being written to a recipe and read: {again!r}")
    if table is None:
        check_of(_kind_of(cls))(option)
    elif cls.kind in ON_TABLES:
        check_of(_kind_of(cls))(option, table=table)
    else:
        raise TypeError(f"a {cls.kind} is not tried on a table")


class _Known:
    """Finds the options that one holds within it, and those that are installed."""

    def __init__(self, option: Option) -> None:
        self._own = {(one.kind, one.name): type(one) for one in _within(option)}

    def choose(self, kind: str, name: str) -> type[Option]:
        return self._own.get((kind, name)) or _registry().choose(kind, name)


def _within(value: Any) -> Iterator[Option]:
    """The options among a value's fields and items, and theirs."""
    if isinstance(value, Option):
        yield value
    if isinstance(value, BaseModel):
        value = [getattr(value, name) for name in type(value).model_fields]
    elif isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _within(item)


@cache
def _registry() -> Registry:
    return Registry()


def required_fields(option: type[Option]) -> list[str]:
    """The fields without a default."""
    return [name for name, field in option.model_fields.items() if field.is_required()]


def _check_form(cls: type[Option]) -> None:
    hold(
        not inspect.isabstract(cls) and not cls.is_kind(),
        cls if not cls.is_kind() else type(cls.__name__, (cls,), {"name": "?"}),
        "is abstract: it needs a name, and the method of its kind",
    )
    hold(
        re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cls.name),
        cls,
        "has a name that is not lower-case-with-hyphens",
    )
    hold(
        cls.__doc__ and cls.__doc__ != _inherited_doc(cls),
        cls,
        "has no docstring of its own; its first line is what `reid plugins` shows",
    )
    bare = [name for name, field in cls.model_fields.items() if not field.description]
    hold(not bare, cls, f"has fields without a description: {', '.join(bare)}; write Field(…, description=…)")
    hold(cls.model_config.get("extra") == "forbid", cls, "accepts unknown keys; leave model_config as it is")
    hold(cls.model_config.get("frozen"), cls, "can be changed after it was read; leave model_config as it is")


def _kind_of(cls: type[Option]) -> type[Option]:
    return next(kind for kind in KINDS if issubclass(cls, kind))


def _inherited_doc(cls: type[Option]) -> str | None:
    return cls.__mro__[1].__doc__


def _check_signature(cls: type[Option]) -> None:
    """The kind's method is called with keywords: each of them must be accepted, and no other be needed."""
    kind = _kind_of(cls)
    for name in sorted(kind.__abstractmethods__):
        asked = [key for key in inspect.signature(getattr(kind, name)).parameters if key != "self"]
        try:
            inspect.signature(getattr(cls, name)).bind(None, **dict.fromkeys(asked))
        except TypeError as error:
            form = f"def {name}(self{', *, ' if asked else ''}{', '.join(asked)})"
            hold(False, cls, f"has a {name}() that cannot be called as its kind is ({error}); write {form}")
