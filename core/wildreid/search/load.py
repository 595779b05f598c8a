"""From a YAML file to a search: the base recipe, the space, and every mistake at once with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from wildreid.errors import Problem, RecipeError, UserError, bare
from wildreid.option import did_you_mean
from wildreid.recipe import limits
from wildreid.recipe.decides import FIGURES, NOTHING, ROWS, all_but
from wildreid.recipe.find import find_recipe
from wildreid.recipe.lines import read_yaml
from wildreid.recipe.load import FILE_KEYS, Loaded, load_recipe, validate
from wildreid.recipe.merge import merge
from wildreid.recipe.model import Recipe
from wildreid.search.draw import Scalar, is_draw
from wildreid.search.parse import parse
from wildreid.search.plan import Plan
from wildreid.search.space import Impossible, Space

YARDSTICK = (*NOTHING, *FIGURES, *ROWS, "seed", "training.watch", "training.protocol", "training.gallery")
"""What trials are compared by; drawn again for each, they could not be compared."""


@dataclass(frozen=True)
class Search:
    """A search that can begin.

    Attributes:
        plan: the file's own settings.
        space: what is drawn.
        base: the recipe that draws are laid over.
        path: the file.
        name: of the study and its folder.
    """

    plan: Plan
    space: Space
    base: Loaded
    path: Path
    name: str

    def recipe(self, values: Mapping[str, Scalar], **settings: Any) -> Loaded:
        """The base recipe with what was drawn, and with these settings, laid over it.

        Raises:
            RecipeError: values that do not go together.
        """
        merged = merge(self._base, self.space.settings(values, self._base), top=True)
        merged = merge(merged, settings, top=True)
        recipe = validate(
            merged,
            kind=Recipe,
            registry=self.base.registry,
            base=self.path.absolute().parent,
            lines={},
            where="the trial's recipe",
        )
        return replace(self.base, recipe=recipe, notes=())

    def identity(self) -> dict[str, Any]:
        """All that makes this search this one and no other: the space as written, and the base recipe.

        What belongs to a machine, such as the folder of the photos, is left out: workers differ in it.
        """
        recipe = all_but(self.base.recipe, NOTHING, FIGURES, defaults=False)
        return {"space": self.plan.space, "recipe": _without_paths(recipe)}

    def key(self, values: Mapping[str, Scalar]) -> str:
        """A short hash of a configuration: two draws that give one recipe have one key."""
        return short_hash(self.space.settings(values, self._base))

    @cached_property
    def _base(self) -> dict[str, Any]:
        return self.base.recipe.model_dump(mode="json")


def load_search(
    path: str | Path,
    *,
    profiles: Sequence[str] = (),
    settings: Mapping[str, Any] | Sequence[str] = (),
    name: str | None = None,
) -> Search:
    """Read a space and its base recipe; nothing heavy is imported and no data is read.

    Args:
        path: the YAML file.
        profiles: of the file, of its recipe, or of both; laid over each that has it, from left to right.
        settings: of the base recipe, as in `wildreid.run`.
        name: of the study; None: the file's own, or one made from the recipe's.

    Raises:
        RecipeError: all that is wrong with the space or the recipe, each with its key and line.
        UserError: no such file or profile, unreadable YAML.
    """
    path = Path(path)
    raw, lines = read_yaml(path)
    own = raw.get("profiles") or {}
    if not isinstance(own, Mapping) or not all(isinstance(part, Mapping) for part in own.values()):
        raise RecipeError(
            [Problem("profiles", "profiles are a mapping of names to parts of this file")], where=str(path)
        )
    recipe = _find(str(raw.get("recipe", "recipe.yaml")), path.parent)
    of_recipe = read_yaml(recipe)[0].get("profiles") or {}
    for one in profiles:
        if one not in own and one not in of_recipe:
            known = [*own, *of_recipe]
            there = ", ".join(dict.fromkeys(known)) or "none"
            raise UserError(
                f"there is no profile '{one}'{did_you_mean(one, known)}; there are: {there}", where=str(path)
            )
    of_base = [one for one in profiles if one in of_recipe]
    base = load_recipe(recipe, profiles=of_base, settings=settings)
    # where the recipe falls back to a profile, the search does so too
    chosen = [one for one in base.profiles if one not in profiles and one in own]
    chosen += [one for one in profiles if one in own]
    merged = {key: value for key, value in raw.items() if key not in FILE_KEYS}
    for one in chosen:
        merged = lay(merged, own[one])
    if name is not None:
        merged["name"] = name
    layers = [("profiles", one) for one in reversed(chosen)]
    try:
        plan = Plan.model_validate(merged)
    except ValidationError as error:
        problems = [
            Problem(".".join(map(str, at)), _said(item, at), _line(lines, layers, at))
            for item in error.errors(include_url=False)
            for at in [item["loc"]]
        ]
        raise RecipeError(problems, where=str(path)) from None
    if plan.settings:
        given = settings if isinstance(settings, Mapping) else dict(map(_setting, settings))
        base = load_recipe(
            recipe, profiles=of_base, settings={**plan.settings, **given}, registry=base.registry
        )
    space, mistakes = parse(plan.space)
    search = Search(plan, space, base, path, plan.name or _name(base.recipe))
    if problems := [_problem(at, what, lines, layers) for at, what in (mistakes or _check(search))]:
        raise RecipeError(list(dict.fromkeys(problems)), where=str(path))
    _refuse_drawn(search, settings)
    return search


def _refuse_drawn(search: Search, settings: Mapping[str, Any] | Sequence[str]) -> None:
    """A setting of what is drawn would do nothing, which is never what was meant."""
    for text in settings:
        key = text.partition("=")[0].strip()
        for one in search.space.draws:
            drawn = ".".join(map(str, one.path))
            if f"{drawn}.".startswith(f"{key}.") or f"{key}.".startswith(f"{drawn}."):
                raise UserError(
                    f"the space draws '{drawn}', so that this setting would have no effect",
                    where=f"`settings={key}`",
                    cure=f"take '{drawn}' out of the space in {search.path}, or give it one value there",
                )


def _check(search: Search) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a space that was understood: where in it, and what."""
    space = search.space
    if not space.draws:
        yield (), "there is no draw in it; write one such as: loss: {choice: [arcface, triplet]}"
    for one in space.draws:
        key = ".".join(map(str, one.path))
        for fixed in YARDSTICK:
            if key == fixed or key.startswith(f"{fixed}."):
                yield one.at, f"'{fixed}' cannot be drawn: trials that differ in it cannot be compared"
    if search.base.recipe.training.epochs == 0:
        yield (), "the recipe trains for 0 epochs, so that no trial would have a validation figure"
    for one in space.draws:
        try:
            for values in space.examples(one):
                try:
                    search.recipe(values)
                except RecipeError as error:
                    for problem in error.problems:
                        yield _place(space, values, problem.path), problem.message
        except Impossible as error:
            yield error.draw.at, str(error)


def _place(space: Space, values: Mapping[str, Scalar], wrong: str) -> tuple[str | int, ...]:
    """Where in the space a key of the recipe is set: in the nearest draw made, or beside the draws."""
    keys = tuple(int(key) if key.isdigit() else key for key in wrong.split("."))
    made = [one for one in space.draws if one.name in values and one.path == keys[: len(one.path)]]
    if not made:
        return keys
    nearest = max(made, key=lambda one: len(one.path))
    return (*nearest.at, *keys[len(nearest.path) :])


def lay(under: Any, over: Any) -> Any:
    """Lay a profile on a file: keys merge, but a draw and an option of another name are replaced whole."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping) or is_draw(under) or is_draw(over):
        return over
    if "space" not in under and "name" in under and "name" in over and under["name"] != over["name"]:
        return over
    return {**under, **{key: lay(under.get(key), value) for key, value in over.items()}}


def short_hash(value: Any) -> str:
    """A short hash of plain data, the same on every machine."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def _setting(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    try:
        return key.strip(), limits.read(value) if value else ""
    except yaml.YAMLError:
        raise UserError(f"the value of '{text}' is not readable as YAML", where="`settings=…`") from None


def _find(recipe: str, folder: Path) -> Path:
    beside = folder / recipe
    return find_recipe(beside if beside.exists() else recipe)


def _name(recipe: Recipe) -> str:
    stamp = f"-{recipe.stamp}" if recipe.stamp and not recipe.name.endswith(f"-{recipe.stamp}") else ""
    return f"{recipe.name}-search{stamp}"


def _without_paths(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    return "(a path)" if isinstance(value, str) and Path(value).is_absolute() else value


def _said(item: Any, at: tuple[str | int, ...]) -> str:
    hint = (
        did_you_mean(str(at[-1]), Plan.model_fields)
        if item["type"] == "extra_forbidden" and len(at) == 1
        else ""
    )
    return bare(str(item["msg"])) + hint


def _problem(
    at: tuple[str | int, ...],
    what: str,
    lines: Mapping[tuple[str | int, ...], int],
    layers: Sequence[tuple[str, str]],
) -> Problem:
    return Problem(".".join(map(str, ("space", *at))), what, _line(lines, layers, ("space", *at)))


def _line(
    lines: Mapping[tuple[str | int, ...], int], layers: Sequence[tuple[str, str]], at: tuple[str | int, ...]
) -> int | None:
    """The line of a key, or of the nearest around it, in the layer that set it last."""
    for length in range(len(at), 0, -1):
        for layer in (*layers, ()):
            if (line := lines.get((*layer, *at[:length]))) is not None:
                return line
    return None
