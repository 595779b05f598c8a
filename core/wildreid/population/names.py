"""Names that every program takes: letters, digits, dot and hyphen, and no two alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath


def plain(name: str) -> str:
    """The name with every other sign replaced: ``Björn #2`` is ``Bjorn-2``."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "-", letters).strip("-") or "x"


def codes(names: Iterable[str]) -> dict[str, str]:
    """A plain name for each; one that is taken, whatever its case, gets ``.2``, the next ``.3``."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    # those that are plain already keep their names
    for name in sorted(set(names), key=lambda name: (plain(name) != name, name)):
        code, number = plain(name), 1
        while code.casefold() in taken:
            number += 1
            code = f"{plain(name)}.{number}"
        taken.add(code.casefold())
        out[name] = code
    return out


def file_names(images: Iterable[str]) -> dict[str, str]:
    """One flat file name for each image's path: ``who01/IMG_1.JPG`` is ``who01.IMG.1.JPG``; no two alike."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for image in sorted(set(images)):
        path = PurePosixPath(image)
        stem = re.sub(r"[.-]+", ".", plain(path.with_suffix("").as_posix())).strip(".") or "x"
        suffix = re.sub(r"[^A-Za-z0-9.]", "", path.suffix)
        name, number = stem + suffix, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}.{number}{suffix}"
        taken.add(name.casefold())
        out[image] = name
    return out
