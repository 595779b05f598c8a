"""Parts of a recipe laid over one another: profiles, the fallback, single settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from wildreid.errors import UserError
from wildreid.option import Given
from wildreid.recipe import limits


def merge(under: Any, over: Any, *, top: bool = False) -> Any:
    """Lay `over` on `under`: an option whose name changes is replaced whole; otherwise keys merge.

    Lists are replaced whole. ``top`` marks the recipe itself, whose ``name`` is not an option's.
    """
    if isinstance(under, Mapping) and isinstance(over, str) and "name" in under:
        over = {"name": over}
    if isinstance(under, str) and isinstance(over, Mapping):
        under = {"name": under}
    if not (isinstance(under, Mapping) and isinstance(over, Mapping)):
        return over
    if not top and "name" in over and "name" in under and over["name"] != under["name"]:
        return over
    return {**under, **{key: merge(under.get(key), value) for key, value in over.items()}}


def merge_all(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a recipe, each laid over those before it."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = merge(merged, layer, top=True)
    return merged


def parsed(settings: Mapping[str, Any] | Sequence[str]) -> list[dict[str, Any]]:
    """Single settings, as parts of a recipe to lay over it.

    Raises:
        UserError: one without ``=``, or whose value is not YAML.
    """
    if isinstance(settings, Mapping):
        return [_nest(key, _given(value)) for key, value in settings.items()]
    parsed = []
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UserError(
                f"'{text}' is not a setting",
                where="`settings=…`",
                cure="write it as key=value, such as `loss.margin=0.3`",
            )
        try:
            parsed.append(_nest(key.strip(), _given(limits.read(value) if value else "")))
        except yaml.YAMLError:
            raise UserError(f"the value of '{text}' is not readable as YAML", where="`settings=…`") from None
    return parsed


def _nest(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value  # type: ignore[no-any-return]


def _given(value: Any) -> Any:
    if isinstance(value, str):
        return Given(value)
    if isinstance(value, Path):
        return Given(str(value))
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_given(item) for item in value]
    return value
