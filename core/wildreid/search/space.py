"""The space of a search: a part of a recipe in which some values are draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wildreid.option import did_you_mean
from wildreid.recipe.merge import merge
from wildreid.search.draw import Choice, Draw, Scalar

MOST = 10_000
"""Of a finite space with more configurations than this, not all are listed."""


class Impossible(ValueError):
    """Something in a space that cannot be; carries the draw it is about."""

    def __init__(self, draw: Draw, what: str) -> None:
        super().__init__(what)
        self.draw = draw


@dataclass(frozen=True)
class Space:
    """A tree like a recipe's, with a `Draw` wherever a value is drawn, and its draws.

    Values (``{"loss": "triplet", "loss.triplet.margin": 0.3}``) name what was drawn; settings
    (``{"loss": {"name": "triplet", "margin": 0.3}}``) are the part of a recipe that they stand for.
    """

    tree: Mapping[str, Any]
    draws: tuple[Draw, ...]

    def draw(self, suggest: Callable[[Draw], Scalar]) -> dict[str, Scalar]:
        """Draw each value that its conditions let happen, in an order in which these are known."""
        values: dict[str, Scalar] = {}
        for one in self.order:
            if one.happens(values):
                values[one.name] = suggest(one)
        return values

    def settings(self, values: Mapping[str, Scalar], base: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a recipe that these values stand for; `base` is the recipe it is laid over.

        Raises:
            Impossible: a draw multiplies a key that holds no number.
        """
        merged = merge(base, _resolve(self.tree, values, lambda one: None), top=True)

        def factor(one: Draw) -> float:
            found = _at(merged, one.times.split("."))
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise Impossible(one, f"it is drawn times {one.times}, which holds no number")
            return found

        part: dict[str, Any] = _resolve(self.tree, values, factor)
        return part

    @cached_property
    def order(self) -> tuple[Draw, ...]:
        """The draws, each after those that its conditions name."""
        ordered: list[Draw] = []
        known: set[str] = set()
        left = list(self.draws)
        while left:
            ready = [one for one in left if one.conditions.keys() <= known]
            if not ready:
                raise Impossible(
                    left[0], f"its condition leads back to itself, by {', '.join(left[0].conditions)}"
                )
            ordered += ready
            known |= {one.name for one in ready}
            left = [one for one in left if one.name not in known]
        return tuple(ordered)

    @cached_property
    def configurations(self) -> tuple[dict[str, Scalar], ...] | None:
        """Every set of values that can be drawn; None where they are infinitely many, or more than `MOST`."""
        listed: list[dict[str, Scalar]] = [{}]
        for one in self.order:
            longer: list[dict[str, Scalar]] = []
            for values in listed:
                if not one.happens(values):
                    longer.append(values)
                    continue
                possible = one.values()
                if possible is None:
                    return None
                longer += [{**values, one.name: value} for value in possible]
                if len(longer) > MOST:
                    return None
            listed = longer
        return tuple(listed)

    def examples(self, one: Draw) -> Iterator[dict[str, Scalar]]:
        """For each end of a draw, values in which it is so drawn and what it does not need is at its first.

        Raises:
            Impossible: a condition names no draw, or a value it never takes, or contradicts another.
        """
        needed = {name: allowed[0] for name, allowed in self._needed(one).items()}
        for end in one.ends():
            wanted = {**needed, one.name: end}
            yield self.draw(lambda other, wanted=wanted: wanted.get(other.name, other.ends()[0]))  # type: ignore[misc]

    def _needed(self, one: Draw) -> dict[str, tuple[Scalar, ...]]:
        """What must have been drawn, near and far, for this draw to happen."""
        by_name = {other.name: other for other in self.draws}
        needed: dict[str, tuple[Scalar, ...]] = {}
        ask = list(one.conditions.items())
        asked: set[str] = set()
        while ask:
            name, allowed = ask.pop()
            if name not in by_name:
                raise Impossible(one, f"its condition names no draw: '{name}'{did_you_mean(name, by_name)}")
            possible = by_name[name].values()
            if possible is None:
                raise Impossible(one, f"its condition names '{name}', which is no choice and no whole number")
            if not (allowed := tuple(value for value in allowed if value in possible)):
                raise Impossible(one, f"its condition is never met: '{name}' is one of {_listed(possible)}")
            needed[name] = tuple(value for value in needed.get(name, allowed) if value in allowed)
            if not needed[name]:
                raise Impossible(one, f"its conditions contradict each other about '{name}'")
            if name not in asked:
                asked.add(name)
                ask += by_name[name].conditions.items()
        return needed


def _resolve(node: Any, values: Mapping[str, Scalar], factor: Callable[[Draw], float | None]) -> Any:
    """The node with what was drawn in place of its draws; what was not drawn is left out."""
    if isinstance(node, Draw):
        value = values[node.name]
        if isinstance(node.form, Choice):
            return _resolve(node.items[value], values, factor)
        if not node.times:
            return value
        times = factor(node)
        return None if times is None else value * times  # type: ignore[operator]
    if isinstance(node, Mapping):
        return {key: _resolve(item, values, factor) for key, item in node.items() if _there(item, values)}
    if isinstance(node, list):
        return [_resolve(item, values, factor) for item in node if _there(item, values)]
    return node


def _there(node: Any, values: Mapping[str, Scalar]) -> bool:
    return not isinstance(node, Draw) or node.name in values


def _at(tree: Any, path: Sequence[str]) -> Any:
    """What stands at a path of keys; None where nothing does."""
    for key in path:
        if isinstance(tree, list) and key.isdigit() and int(key) < len(tree):
            tree = tree[int(key)]
        elif isinstance(tree, Mapping) and key in tree:
            tree = tree[key]
        else:
            return None
    return tree


def _listed(values: tuple[Scalar, ...]) -> str:
    return ", ".join(map(str, values[:12])) + (" …" if len(values) > 12 else "")
