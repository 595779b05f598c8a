"""What a recipe's file says, and on which line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from wildreid.errors import UserError
from wildreid.recipe import limits


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    """A YAML mapping, and the line of every key in it.

    Raises:
        UserError: no such file; not YAML, with the line; not a mapping; a key that stands twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"there is no recipe {path}", cure="give the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the recipe cannot be read: {error}", where=str(path)) from None
    try:
        node = limits.compose(text)
        lines: dict[tuple[str | int, ...], int] = {}
        if node is not None:
            _lines(node, (), lines, path)
        value = limits.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"not readable as YAML: {error.problem or error}", where=f"{path}{line}") from None
    except yaml.YAMLError as error:
        raise UserError(f"not readable as YAML: {error}", where=str(path)) from None
    if not isinstance(value, dict):
        raise UserError("a recipe is a mapping of keys to values", where=str(path))
    return value, lines


def _lines(
    node: yaml.Node, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path
) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                raise UserError(f"the key '{key.value}' is there twice", where=f"{path}:{line}")
            seen.add(key.value)
            lines[(*at, key.value)] = line
            _lines(value, (*at, key.value), lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*at, index)] = item.start_mark.line + 1
            _lines(item, (*at, index), lines, path)
