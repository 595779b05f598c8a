"""`reid new plugin`: a package with one option that runs at once."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from wildreid.authoring.example import example_name, example_of
from wildreid.authoring.names import check_name, class_of, fresh, module_of
from wildreid.authoring.write import write
from wildreid.errors import UserError
from wildreid.kinds import KINDS, Fusion
from wildreid.option import Option, did_you_mean
from wildreid.recipe.model import key_of
from wildreid.registry import Registry

LEARNS = ("backbone", "head", "loss", "miner", "optimizer", "sampler", "scheduler", "transform")
"""Kinds without which nothing is learned."""


def new_plugin(kind: str, name: str, out: Path) -> Path:
    """Write a plugin package with one option: code, test, recipe, photos to try it on, README, pyproject.

    Args:
        kind: such as ``loss`` or ``losses``.
        name: of the option and the package, in lower case with hyphens.
        out: the folder that it is written into.

    Returns:
        The package's folder.

    Raises:
        UserError: no such kind, a name that cannot be used or is taken, a folder that is there already.
    """
    from wildreid.testing import draw_photos

    cls = _kind(kind)
    check_name(name)
    if name in Registry().options(cls.kind):
        raise UserError(f"there is a {cls.kind} named '{name}' already", cure=f"such as 'my-{name}'")
    folder = fresh(out / name)
    values = {
        "kind": cls.kind,
        "plural": cls.plural(),
        "kind_class": cls.__name__,
        "summary": cls.summary(),
        "name": name,
        "module": module_of(name),
        "class": class_of(name),
        "code": example_of(cls, name=name),
        "example": example_name(cls),
        "version": importlib.metadata.version("wildreid"),
        "recipe": _recipe(cls, name),
        "key": key_of(cls),
        "in_list": key_of(cls) == cls.plural(),
        "needs_root": cls.kind == "dataset",
        "learns": cls.kind in LEARNS,
    }
    write("plugin", folder, values)
    if values["key"]:
        draw_photos(folder / "photos")
    return folder


def _kind(asked: str) -> type[Option]:
    for kind in KINDS:
        if asked in (kind.kind, kind.plural()):
            return kind
    names = [kind.kind for kind in KINDS]
    raise UserError(f"there is no kind '{asked}'{did_you_mean(asked, names)}; there are: {', '.join(names)}")


def _recipe(kind: type[Option], name: str) -> str:
    """The tiny recipe with the new option in its place."""
    from wildreid.testing import TINY_RECIPE

    lines = []
    for line in TINY_RECIPE.read_text(encoding="utf-8").splitlines()[1:]:
        key = line.partition(":")[0]
        if key == "name":
            line = f"name: {name}"
        elif key == "about":
            line = f"about: tries the {kind.kind} {name} on a few small photos"
        elif key == "packs":
            line = f"packs: [{module_of(name)}]"
        elif key == kind.kind:
            line = f"{key}: {{name: {name}, root: photos}}" if key == "dataset" else f"{key}: {name}"
        elif key == kind.plural():
            line = f"{line.rstrip(']')}, {name}]"
        lines.append(line)
    if not any(line.partition(":")[0] == key_of(kind) for line in lines):
        lines.append(f"{key_of(kind)}: {f'[{name}]' if key_of(kind) == kind.plural() else name}")
    if kind is Fusion:  # it needs something to fuse
        lines.append("matchers: [mutual]")
    return "\n".join(lines)
