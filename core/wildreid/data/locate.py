"""Where on this machine the photos lie that somebody's file names."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.frames import is_film
from wildreid.errors import UserError

FILM = "a film: not read"
NOT_HERE = "not on this machine"
NO_FILE = "there is no such file"
TWO = "two files could be meant"
AMBIGUOUS = "several records name a file so"
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")
_ABSOLUTE = re.compile(r"^(?:/|[A-Za-z]:/)")


@dataclass(frozen=True)
class Located:
    """What `locate` found.

    Attributes:
        root: the folder that `images` are relative to.
        images: (n,) path with forward slashes, None where there is none.
        reasons: (n,) why not.
    """

    root: Path
    images: NDArray[Any]
    reasons: NDArray[Any]


def locate(
    paths: pd.Series[Any],
    root: Path,
    *,
    strip_prefix: str = "",
    media: Path | None = None,
    names: Sequence[pd.Series[Any]] = (),
    films: bool = False,
) -> Located:
    """Find the file of each path. A URL is never fetched.

    A relative path starts at `root`. Of an absolute one the longest end that stands below `root` is taken; if
    two files share it, none. What is not found so is looked for in `media`, by its last part and by `names`,
    where these speak of one path alone.

    Args:
        paths: as the source writes them; backslashes are taken for slashes.
        root: an absolute folder.
        strip_prefix: what to take off the front of each path first.
        media: a folder that holds the files under their own names, at any depth.
        names: further names of each file, with or without an ending: its id.
        films: whether a film is found too; else it is none that is read.

    Raises:
        UserError: `root` or `media` is no folder, or they have no folder in common.
    """
    for folder, field in ((root, "root"), (media, "media")):
        if folder is not None and not folder.is_dir():
            raise UserError(
                f"there is no folder {folder}",
                where=f"dataset.{field}",
                cure=f"correct it in the recipe, or give `dataset.{field}=FOLDER`",
            )
    base = root if media is None else _common(root, media)
    prefix = strip_prefix.replace("\\", "/")
    texts = paths.astype("string").str.strip().str.replace("\\", "/", regex=False)
    codes, index = pd.factorize(texts)
    distinct: list[str] = [str(text) for text in index]
    below, inside = _Tree(root, base), _Tree(media, base) if media is not None else None
    also = [_distinct(codes, series, len(distinct)) for series in names]
    own: list[str | None] = [_last(text) for text in distinct]
    often = [Counter(name for name in column if name) for column in (own, *also)]
    found: list[str | None] = []
    reasons: list[str | None] = []
    for number, text in enumerate(distinct):
        path, reason = below.at(text.removeprefix(prefix))
        if path is None and inside is not None:
            wanted = [column[number] for column in (own, *also)]
            known = [(name, many[name] == 1) for name, many in zip(wanted, often, strict=True) if name]
            path, told = inside.named([name for name, once in known if once])
            shared = [name for name, once in known if not once and inside.named([name]) != (None, None)]
            reason = told or (f"{AMBIGUOUS}: {shared[0]}" if path is None and shared else reason)
        if not films and is_film(path or text) and not _URL.match(text):
            path, reason = None, FILM
        found.append(path)
        reasons.append(None if path is not None else reason)
    for number in _shared(found, distinct, prefix):
        found[number], reasons[number] = None, f"{AMBIGUOUS}: {own[number]}"
    images = np.array([*found, None], object)[codes]  # -1: no path at all
    return Located(base, images, np.array([*reasons, "no file is named"], object)[codes])


def _shared(found: list[str | None], texts: list[str], prefix: str) -> list[int]:
    """The absolute paths for which one and the same file was found: it can be that of one alone."""
    by_file = defaultdict(list)
    for number, (path, text) in enumerate(zip(found, texts, strict=True)):
        if path is not None and _ABSOLUTE.match(text.removeprefix(prefix)):
            by_file[path].append(number)
    return [number for numbers in by_file.values() if len(numbers) > 1 for number in numbers]


class _Tree:
    """The files below a folder, as paths relative to `base`; they are listed when first asked by name."""

    def __init__(self, root: Path, base: Path) -> None:
        self.root = str(root)
        self._before = "" if root == base else root.relative_to(base).as_posix() + "/"
        self._names: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}

    def at(self, text: str) -> tuple[str | None, str | None]:
        """The file that a path means, or why there is none."""
        if _URL.match(text):
            return None, f"{NOT_HERE}: {text}"
        if _ABSOLUTE.match(text):
            return self._ending(text)
        text = posixpath.normpath(text)
        if text == ".." or text.startswith("../"):
            return None, f"the path leaves the root: {text}"
        there = os.path.isfile(os.path.join(self.root, text))
        return (self._before + text, None) if there else (None, NO_FILE)

    def named(self, names: Sequence[str]) -> tuple[str | None, str | None]:
        """The file of the first of these names that is here, with its ending or without."""
        self._list()
        for name in names:
            there = "/" in name and os.path.isfile(os.path.join(self.root, name))
            paths = [name] if there else self._names.get(name) or self._stems.get(name, [])
            if len(paths) > 1:
                return None, f"{TWO}: {paths[0]}, {paths[1]}"
            if paths:
                return self._before + paths[0], None
        return None, None

    def _ending(self, text: str) -> tuple[str | None, str | None]:
        """The file whose whole path is the longest end of an absolute one; none where another shares it."""
        self._list()
        parts = posixpath.normpath(text).split("/")
        shared = []
        for path in self._names.get(parts[-1], ()):
            own = path.split("/")
            pairs = zip(reversed(own), reversed(parts), strict=False)
            same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(own), len(parts)))
            shared.append((same, same == len(own), path))
        most = max((same for same, _, _ in shared), default=0)
        best = [(whole, path) for same, whole, path in shared if same == most]
        if len(best) > 1:
            return None, f"{TWO}: {best[0][1]}, {best[1][1]}"
        return (self._before + best[0][1], None) if best and best[0][0] else (None, NO_FILE)

    def _list(self) -> None:
        if self._names:
            return
        names, stems = defaultdict(list), defaultdict(list)
        for folder, _, files in os.walk(self.root):
            inside = os.path.relpath(folder, self.root).replace(os.sep, "/")
            for name in files:
                path = name if inside == "." else f"{inside}/{name}"
                names[name].append(path)
                stems[os.path.splitext(name)[0]].append(path)
        self._names, self._stems = dict(names), dict(stems)


def _last(text: str) -> str:
    return (
        re.split(r"[?#]", text, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
        if _URL.match(text)
        else (text.rpartition("/")[2])
    )


def _distinct(codes: NDArray[np.int64], series: pd.Series[Any], count: int) -> list[str | None]:
    """The name that goes with each distinct path."""
    values: list[str | None] = [None] * count
    for code, name in zip(codes, series.astype("string"), strict=True):
        if code >= 0 and not pd.isna(name):
            values[code] = str(name)
    return values


def _common(root: Path, media: Path) -> Path:
    try:
        return Path(os.path.commonpath([root, media]))
    except ValueError:  # two drives
        raise UserError(
            f"{media} and {root} are on two drives", where="dataset.media", cure="put them on one"
        ) from None
