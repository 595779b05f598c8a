"""From a YAML file to a recipe: merging, the fallback, and every mistake at once with its line."""

from __future__ import annotations

import re
import types
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Generic, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeVar

from wildreid.errors import Problem, RecipeError, UserError, bare
from wildreid.option import Given, Option, did_you_mean, home, overridden
from wildreid.recipe.find import find_recipe
from wildreid.recipe.lines import read_yaml
from wildreid.recipe.merge import merge_all, parsed
from wildreid.recipe.model import Measurement, Recipe
from wildreid.registry import Registry

FILE_KEYS = ("profiles", "fallback")
Kind = TypeVar("Kind", bound=Measurement, default=Recipe)


@dataclass(frozen=True)
class Loaded(Generic[Kind]):
    """A recipe, and where it came from.

    Attributes:
        recipe: validated and resolved.
        registry: the options it was validated against.
        path: the file; None for a recipe made in Python.
        notes: what the user should read before the run begins, such as that the fallback is used.
        profiles: what was laid over the file, the fallback first where it was used.
    """

    recipe: Kind
    registry: Registry
    path: Path | None = None
    notes: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


def load_recipe(
    path: str | Path,
    *,
    profiles: Sequence[str] = (),
    settings: Mapping[str, Any] | Sequence[str] = (),
    registry: Registry | None = None,
    saved: bool = False,
) -> Loaded:
    """Read, merge and validate a recipe; nothing heavy is imported and no data is read.

    Merged in this order: the file, its fallback profile where the data set's default root is absent, the
    named profiles from left to right, the settings.

    Args:
        path: the YAML file, a folder with a ``recipe.yaml``, or the name of an installed pack's recipe.
        profiles: names of profiles in the file.
        settings: ``{"loss.margin": 0.3}``, or texts such as ``"loss.margin=0.3"``.
        registry: the options to choose from; None: the installed plugins and the recipe's packs.
        saved: a run wrote it, perhaps of an earlier version: what it does not say was as it was then.

    Raises:
        RecipeError: all that is wrong with it, each with its path and line.
        UserError: no such file, unreadable YAML, no such profile, a setting without ``=``.
    """
    path = find_recipe(path)
    raw, lines = read_yaml(path)
    return resolved(
        raw,
        lines=lines,
        path=path,
        kind=Recipe,
        profiles=profiles,
        layers=parsed(settings),
        registry=registry,
        saved=saved,
    )


def resolved(
    raw: Mapping[str, Any],
    *,
    lines: Mapping[tuple[str | int, ...], int],
    path: Path,
    kind: type[Kind],
    profiles: Sequence[str] = (),
    layers: Sequence[Mapping[str, Any]] = (),
    registry: Registry | None = None,
    saved: bool = False,
) -> Loaded[Kind]:
    """Merge and validate what a file says; as `load_recipe`.

    Args:
        raw: the file's keys and values.
        lines: of each key.
        path: the file; relative paths start beside it.
        kind: a whole recipe, or only what is measured; of a whole one the rest is then left out.
        profiles: as for `load_recipe`.
        layers: laid over all of it, from left to right; see `parsed`.
        registry: as for `load_recipe`.
        saved: as for `load_recipe`.
    """
    chosen = raw.get("profiles") or {}
    if not isinstance(chosen, Mapping) or not all(isinstance(part, Mapping) for part in chosen.values()):
        raise RecipeError(
            [Problem("profiles", "profiles are a mapping of names to parts of a recipe")], where=str(path)
        )
    for name in profiles:
        if name not in chosen:
            raise UserError(
                f"there is no profile '{name}'{did_you_mean(name, chosen)}; "
                f"there are: {', '.join(chosen) or 'none'}",
                where=str(path),
            )
    base = {key: value for key, value in raw.items() if key not in FILE_KEYS}
    base.setdefault("name", run_name(path.stem if path.stem != "recipe" else path.absolute().parent.name))
    named = [chosen[name] for name in profiles]
    merged = merge_all(base, *named, *layers)
    notes: list[str] = []
    fallback = raw.get("fallback")
    root = _absent_default_root(base, merged, path.parent)
    if fallback is not None and fallback not in chosen:
        raise RecipeError(
            [Problem("fallback", f"there is no profile '{fallback}'", lines.get(("fallback",)))],
            where=str(path),
        )
    if fallback is not None and root is not None and fallback not in profiles:
        profiles = (fallback, *profiles)
        merged = merge_all(base, chosen[fallback], *named, *layers)
        notes.append(
            f"{root} is not there: this is the profile '{fallback}', on the data that comes with the recipe. "
            f"To use your own: {_how_to_point(base)}"
        )
    elif root is not None and fallback is None:
        notes.append(f"{root} is not there; to use your own data: {_how_to_point(base)}")
    registry = registry or Registry(packs=packs_of(merged, path))
    notes.extend(registry.notes)
    unused = Recipe.model_fields.keys() - kind.model_fields.keys()
    merged = {key: value for key, value in merged.items() if key not in unused}
    near = path.absolute().parent
    recipe = validate(
        merged, kind=kind, registry=registry, base=near, lines=lines, where=str(path), saved=saved
    )
    return Loaded(recipe, registry, path, tuple(notes), tuple(profiles))


def revised(loaded: Loaded[Kind], update: Mapping[str, Any]) -> Loaded[Kind]:
    """The same recipe with other values for some of its own keys, checked as those in a file are.

    Raises:
        RecipeError: a value that does not fit.
    """
    if not update:
        return loaded
    base = loaded.path.absolute().parent if loaded.path else Path.cwd()
    where = str(loaded.path or "recipe")
    raw = {**dict(loaded.recipe), **update}
    recipe = validate(
        raw, kind=type(loaded.recipe), registry=loaded.registry, base=base, lines={}, where=where
    )
    return replace(loaded, recipe=recipe)


def run_name(text: str, *, otherwise: str = "run") -> str:
    """A run's name, which is that of a folder too, from a file's or folder's: ``Lowen-2023`` of ``Löwen 2023``.

    Args:
        text: the file's or folder's name, without its ending.
        otherwise: the name where nothing of it can be kept.
    """
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", letters).strip("-._") or otherwise


def _absent_default_root(base: Mapping[str, Any], merged: Mapping[str, Any], folder: Path) -> Path | None:
    """The data set's root, where it is the file's own default and is not there."""
    dataset, own = merged.get("dataset"), base.get("dataset")
    if not isinstance(dataset, Mapping) or not isinstance(own, Mapping):
        return None
    root: object = dataset.get("root")
    own_root: object = own.get("root")
    if not isinstance(root, str) or root is not own_root or overridden(root):
        return None
    try:
        location = (folder / home(root)).absolute()
    except ValueError:
        return Path(root)
    return None if location.exists() else location


def _how_to_point(base: Mapping[str, Any]) -> str:
    root = str(base["dataset"]["root"])
    variable = root[2:].split(":-")[0].rstrip("}") if root.startswith("${") else ""
    return "give `dataset.root=FOLDER`" + (f", or the environment variable {variable}" if variable else "")


def packs_of(merged: Mapping[str, Any], path: Path) -> list[Path]:
    """The folders of the packs that a recipe in the file `path` names."""
    packs = merged.get("packs") or []
    packs = [packs] if isinstance(packs, str) else packs
    if not isinstance(packs, Iterable):
        return []
    found = []
    for pack in packs:
        base = Path.cwd() if isinstance(pack, Given) else path.absolute().parent
        try:
            found.append(base / home(str(pack)))
        except ValueError as error:
            raise UserError(str(error), where=f"{path}: packs") from None
    return found


def validate(
    raw: Mapping[str, Any],
    *,
    kind: type[Kind],
    registry: Registry,
    base: Path,
    lines: Mapping[tuple[str | int, ...], int],
    where: str,
    saved: bool = False,
) -> Kind:
    """A recipe from merged raw values; `lines` tells the line of a key, relative paths start at `base`.

    Raises:
        RecipeError: all that is wrong with it, each with its path and line.
    """
    try:
        return kind.model_validate(raw, context={"registry": registry, "base": base, "saved": saved})
    except ValidationError as error:
        problems = []
        found = error.errors(include_url=False)
        for item in found:
            at = item["loc"]
            message = bare(item["msg"])
            if item["type"] == "too_short" and any(
                len(at) < len(one["loc"]) and one["loc"][: len(at)] == at for one in found
            ):
                continue  # a list is not short: what is in it is wrong
            if item["type"] == "extra_forbidden":
                fields = _fields_at(raw, at[:-1], registry)
                message += did_you_mean(str(at[-1]), fields) or f"; there are: {', '.join(fields) or 'none'}"
            elif item["type"] == "literal_error":
                message += did_you_mean(str(item["input"]), re.findall("'([^']+)'", item["ctx"]["expected"]))
            problems.append(Problem(".".join(map(str, at)), message, _line(lines, at)))
        raise RecipeError(problems, where=where) from None


def _line(lines: Mapping[tuple[str | int, ...], int], at: tuple[str | int, ...]) -> int | None:
    for length in range(len(at), 0, -1):
        if at[:length] in lines:
            return lines[at[:length]]
    return None


def _fields_at(raw: Any, at: tuple[str | int, ...], registry: Registry) -> list[str]:
    """The names of the fields that the model at this place of a recipe has."""
    model: type[BaseModel] | None = Recipe
    for key in at:
        try:
            raw = raw[key]
        except (KeyError, IndexError, TypeError):
            return []
        if not isinstance(key, int):
            field = model.model_fields.get(key) if model else None
            model = _model_in(field.annotation) if field else None
        if model is not None and issubclass(model, Option) and model.is_kind() and isinstance(raw, Mapping):
            model = registry.options(model.kind).get(str(raw.get("name")))
    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple, list):
        return next(filter(None, map(_model_in, get_args(annotation))), None)
    return None
