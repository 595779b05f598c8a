"""Image paths as people and programs write them: backslashes, absolute paths, another case or form of accents."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd


def below(images: pd.Series[Any], root: Path) -> pd.Series[Any]:
    """Paths with forward slashes, relative to the root where they are absolute and lie inside it.

    A path that lies elsewhere stays as it is; `outside` finds it.
    """
    paths = images.astype("string").str.strip().str.replace("\\", "/", regex=False)
    absolute = paths.str.match(_ABSOLUTE).fillna(False)
    if not absolute.any():
        return paths
    for folder in dict.fromkeys((root.absolute(), root.resolve())):
        start = folder.as_posix().rstrip("/") + "/"
        alike = str.lower if os.name == "nt" else str
        inside = paths.map(
            lambda path, start=start, alike=alike: alike(path).startswith(alike(start)), "ignore"
        )
        paths = paths.mask(absolute & inside.fillna(False).astype(bool), paths.str[len(start) :])
    return paths


def outside(images: pd.Series[Any]) -> pd.Series[Any]:
    """(rows,) whether a path leaves the root: it is absolute, or has ``..`` in it."""
    found = images.str.match(_ABSOLUTE) | images.str.contains(r"(?:^|/)\.\.(?:/|$)", regex=True)
    return found.fillna(False).astype(bool)


def as_spelled(images: pd.Series[Any], root: Path) -> tuple[pd.Series[Any], list[str]]:
    """Paths as the files are spelled on disk, where case or the form of accents alone differ.

    Windows and macOS take such names for one, Linux does not. Each folder is listed once. A path for which no
    file, or more than one, could be meant stays as it is.

    Args:
        images: relative to `root`, forward slashes.
        root: the folder.

    Returns:
        The paths, and a note where some were spelled another way.
    """
    tree = _Tree(root)
    spelled = {image: tree.at(image) for image in images.dropna().unique()}
    changed = {image: found for image, found in spelled.items() if found is not None and found != image}
    if not changed:
        return images, []
    first, found = next(iter(changed.items()))
    return images.replace(changed), [
        f"paths taken for files that differ by case or accents' form alone: {len(changed):,}, such as "
        f"'{first}' for '{found}'"
    ]


_ABSOLUTE = r"^(?:/|[A-Za-z]:)"


class _Tree:
    """The names in the folders below a root, each folder listed once."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._listed: dict[str, tuple[set[str], dict[str, list[str]]]] = {}
        self._folders: dict[str, str | None] = {"": ""}

    def at(self, path: str) -> str | None:
        """The path as it is spelled on disk; None where there is no such file, or two could be meant."""
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = self.at(folder)
        found = self._folders[folder]
        if found is None:
            return None
        names, folded = self._names(found)
        if name not in names:
            alike = folded.get(_folded(name), ())
            if len(alike) != 1:
                return None
            name = alike[0]
        return f"{found}/{name}" if found else name

    def _names(self, folder: str) -> tuple[set[str], dict[str, list[str]]]:
        if folder not in self._listed:
            try:
                names = os.listdir(os.path.join(self._root, folder))
            except OSError:
                names = []
            folded = defaultdict(list)
            for name in names:
                folded[_folded(name)].append(name)
            self._listed[folder] = set(names), folded
        return self._listed[folder]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
