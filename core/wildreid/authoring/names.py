"""The names that an author's one word becomes: of a folder, a module and a class."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from wildreid.errors import UserError


def check_name(name: str) -> None:
    """Refuse a name that cannot be a folder, an option's name and, with underscores, a module.

    Raises:
        UserError: with a name that would do, where there is one.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        raise UserError(
            f"'{name}' is no name for it: lower-case letters, digits and single hyphens, a letter first",
            cure=f"such as '{better}'" if re.match("[a-z]", better) else "",
        )
    module = module_of(name)
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module.startswith("wildreid"):
        raise UserError(f"'{name}' is taken by Python or by wildreid", cure=f"such as 'my-{name}'")


def module_of(name: str) -> str:
    """``my-loss`` to ``my_loss``."""
    return name.replace("-", "_")


def class_of(name: str) -> str:
    """``my-loss`` to ``MyLoss``."""
    return "".join(word.capitalize() for word in name.split("-"))


def fresh(folder: Path) -> Path:
    """The folder, where nothing is in it yet.

    Raises:
        UserError: something is there that would be overwritten, or its parent is missing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already", cure="choose another name, or another `out=…`")
    if not folder.absolute().parent.is_dir():
        raise UserError(f"there is no folder {folder.parent}", where="`out=…`", cure="make it first")
    return folder
