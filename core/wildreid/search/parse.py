"""From the tree of a YAML file to a space: every mistake at once, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wildreid.errors import bare
from wildreid.search.draw import FORMS, Choice, Draw, Form, Scalar, is_draw
from wildreid.search.space import Space

Path = tuple[str | int, ...]
Mistake = tuple[Path, str]
"""Where in the tree, and what is wrong."""

_SCALAR: TypeAdapter[Scalar] = TypeAdapter(Scalar)


def parse(tree: Mapping[str, Any]) -> tuple[Space, list[Mistake]]:
    """The space that a tree describes, as far as it can be understood, and what is wrong with it."""
    parser = _Parser()
    return Space(parser.read(tree, (), (), "", {}), tuple(parser.draws)), parser.mistakes


class _Parser:
    def __init__(self) -> None:
        self.draws: list[Draw] = []
        self.mistakes: list[Mistake] = []

    def read(self, node: Any, at: Path, path: Path, name: str, conditions: Mapping[str, Any]) -> Any:
        """The node with draws in place of what describes them.

        Args:
            node: a part of the tree.
            at: where it is in the tree.
            path: where it goes in the recipe.
            name: what draws in it are named after.
            conditions: under which it is there.
        """
        if is_draw(node):
            return self._draw(node, at, path, name, conditions)
        if isinstance(node, Mapping):
            return {
                key: self.read(
                    item, (*at, key), (*path, key), f"{name}.{key}" if name else str(key), conditions
                )
                for key, item in node.items()
            }
        if isinstance(node, list):
            return [
                self.read(item, (*at, n), (*path, n), f"{name}.{_called(item, n)}", conditions)
                for n, item in enumerate(node)
            ]
        return node

    def _draw(
        self, node: Mapping[str, Any], at: Path, path: Path, name: str, conditions: Mapping[str, Any]
    ) -> Any:
        try:
            form = _form(node)
        except ValidationError as error:
            self.mistakes += [((*at, *item["loc"]), bare(item["msg"])) for item in error.errors()]
            return None
        except ValueError as error:
            self.mistakes.append((at, str(error)))
            return None
        given = {key: value if isinstance(value, tuple) else (value,) for key, value in form.when.items()}
        for key in given.keys() & conditions.keys():
            allowed = ", ".join(map(str, conditions[key]))
            given[key] = tuple(value for value in given[key] if value in conditions[key])
            if not given[key]:
                self.mistakes.append(
                    ((*at, "when", key), f"this place is reached only where {key} is {allowed}")
                )
        own = len(self.draws)
        items: dict[Scalar, Any] = {}
        if isinstance(form, Choice):
            labels = _labels(form.choice)
            if twice := {label for label in labels if labels.count(label) > 1}:
                self.mistakes.append(((*at, "choice"), f"{', '.join(map(str, twice))} is there twice"))
            for n, (label, item) in enumerate(zip(labels, form.choice, strict=True)):
                below = f"{name}.{label}"
                items[label] = self.read(item, (*at, "choice", n), path, below, {name: (label,)})
        # a number that multiplies another is named apart: what is drawn is not what stands in the recipe
        if not isinstance(form, Choice) and form.times:
            name += ":ratio"
        draw = Draw(name, path, form, {**conditions, **given}, items, at)
        self.draws.insert(own, draw)
        return draw


def _form(node: Mapping[str, Any]) -> Form:
    forms = [key for key in node if key in FORMS]
    if len(forms) > 1:
        raise ValueError(f"a value is drawn in one way, not by {' and '.join(forms)}")
    return FORMS[forms[0]].model_validate(node)


def _labels(items: tuple[Any, ...]) -> tuple[Scalar, ...]:
    """What each item of a choice is called: itself, an option by its name, other parts by their keys."""
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    return tuple(
        item["name"]
        if isinstance(item, Mapping) and isinstance(item.get("name"), str) and names.count(item["name"]) == 1
        else _written(item)
        for item in items
    )


def _written(item: Any) -> Scalar:
    try:
        return _SCALAR.validate_python(item)
    except ValidationError:
        pass
    if isinstance(item, Mapping):
        return ", ".join(f"{key}={'…' if is_draw(value) else value}" for key, value in item.items())
    if isinstance(item, list):
        return " + ".join(_called(one, n) for n, one in enumerate(item)) or "nothing"
    return str(item)


def _called(item: Any, n: int) -> str:
    """What an item of a list is called in the names of its draws."""
    return item["name"] if isinstance(item, Mapping) and isinstance(item.get("name"), str) else str(n)
