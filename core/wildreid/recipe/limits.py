"""YAML from anybody's hand, read within limits: a few lines of it may neither fill the memory nor never end."""

from __future__ import annotations

from typing import Any

import yaml

NODES = 100_000
"""Keys and values that a text may hold, each counted as often as it is meant by an alias."""
DEPTH = 100
"""Levels of lists and mappings within one another."""


def compose(text: str) -> yaml.Node | None:
    """The nodes of a YAML text, with their lines; None where it says nothing.

    Raises:
        yaml.YAMLError: it is no YAML; it is too deep or too large; an alias lies within what it means; a key is
            a list or a mapping.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise _error(f"there are more than {DEPTH} levels within one another", event)
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is not None:
        _size(node, {})
    return node


def read(text: str) -> Any:
    """What a YAML text says, in plain Python values.

    Raises:
        yaml.YAMLError: as `compose`; a value that cannot be, such as the 31st of February.
    """
    compose(text)
    return yaml.load(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:  # a day that is none, a number of thousands of digits
            raise _error(str(error), node) from None


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many nodes this one stands for. `known` holds None for those that are being counted."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _error("an alias is within what it means", node)
        return size
    known[id(node)] = None
    size = 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _error("a key is a word or a number, not a list or a mapping", key)
            size += 1 + _size(value, known)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_size(item, known) for item in node.value)
    if size > NODES:
        raise _error(f"its aliases make it larger than {NODES:,} keys and values", node)
    known[id(node)] = size
    return size


def _error(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)
