"""Where a recipe's file lies: a path as it is, or the name of an installed pack."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from pathlib import Path

from wildreid.errors import UserError
from wildreid.option import did_you_mean
from wildreid.registry import GROUP, wanted

MAIN = "recipe.yaml"


def find_recipe(text: str | Path) -> Path:
    """The file that a user means by `text`.

    A file is itself; a folder is the ``recipe.yaml`` in it; a name such as ``bears`` or ``bears/baseline`` is
    a recipe of an installed pack. A file or folder of that name wins.

    Raises:
        UserError: there is no such file, folder or installed recipe; says what is near.
    """
    path = Path(text)
    if path.is_dir() and (path / MAIN).is_file():
        return path / MAIN
    if path.is_file():
        return path
    installed = installed_recipes()
    name = str(text)
    if name in installed:
        return installed[name]
    if path.is_dir():
        raise UserError(f"the folder {path} holds no {MAIN}", cure="give the YAML file itself")
    raise UserError(
        f"there is no recipe {path}{did_you_mean(name, installed)}",
        cure="give the path of a YAML file, or the name of an installed recipe "
        f"({', '.join(installed) or 'none is installed'})",
    )


def installed_recipes() -> dict[str, Path]:
    """The recipes that installed packs brought with them, by name; no pack is imported.

    The ``recipe.yaml`` of the pack ``bears`` is named ``bears``; its ``baseline.yaml`` is ``bears/baseline``.
    What ``WILDREID_PLUGINS`` blocks is left out. A YAML file counts where it names a data set.
    """
    found: dict[str, Path] = {}
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name):
        if not wanted(point.name, os.environ.get("WILDREID_PLUGINS", "")):
            continue
        try:
            spec = importlib.util.find_spec(point.module.partition(".")[0])
        except (ImportError, ValueError):
            continue
        for folder in spec.submodule_search_locations or () if spec else ():
            for path in sorted(Path(folder).glob("*.yaml"), key=lambda path: (path.name != MAIN, path.name)):
                if "\ndataset:" in "\n" + path.read_text(encoding="utf-8"):
                    found[point.name if path.name == MAIN else f"{point.name}/{path.stem}"] = path
    return found
