"""Find the image files under a folder, and say what else lies there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildreid.data.films import NOT_READ
from wildreid.data.frames import FILMS, is_film
from wildreid.data.images import SUFFIXES
from wildreid.data.table import Failure
from wildreid.errors import UserError

OURS = {"gallery.json": "gallery", "stages.json": "run", "package.json": "model package"}
"""What wildreid writes itself, by a file in its folder: no photos of animals' own."""

SYSTEMS = frozenset({
    "@eadir", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found", "__macosx",
    "thumbnails", "thumbs", "@recycle", "@tmp",
})  # fmt: skip
"""Folders that storage and photo programs make for themselves, in small letters: thumbnails and waste bins."""

_CONVERT = "save a copy as JPEG"
WHY = {
    **dict.fromkeys((".heic", ".heif", ".avif", ".jxl", ".gif"), "a form that is not read; " + _CONVERT),
    **dict.fromkeys(
        (".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef", ".srw"),
        "a camera's raw file, which is not read; " + _CONVERT,
    ),
    **dict.fromkeys((*sorted(FILMS), ".mpg"), "a film, not a photo"),
    **dict.fromkeys(
        (".csv", ".tsv", ".parquet", ".pq", ".xlsx", ".json"), "a table or a record, not a photo"
    ),
}
"""Why a file that is no image of ours is left out, by its ending."""


@dataclass(frozen=True)
class Found:
    """What lies under a folder.

    Attributes:
        images: paths relative to it, with forward slashes, sorted.
        others: the other files, and why each is not read, sorted.
        passed: how many files were passed over, by what they are.
    """

    images: list[str]
    others: list[Failure]
    passed: Counter[str]

    @property
    def notes(self) -> list[str]:
        """What was left out, in sentences."""
        notes = []
        if self.others:
            told = by_ending(failure.image for failure in self.others)
            notes.append(f"{len(self.others)} files are not read: {told}")
        if self.passed:
            notes.append(
                "passed over: " + ", ".join(f"{many} {what}" for what, many in self.passed.most_common())
            )
        return notes

    def __iter__(self) -> Iterator[Any]:
        """Images and others, as packs of earlier versions unpack it."""
        return iter((self.images, self.others))


def find_images(root: Path) -> Found:
    """The images under a folder, by their names' endings, and all else that lies there.

    Hidden files and folders, and those that storage and photo programs make for themselves, are passed over
    and counted. A link to a folder is followed once.

    Raises:
        UserError: there is no such folder; it is a gallery, a run or a model package of ours.
    """
    if not root.is_dir():
        raise UserError(
            f"the data set's root {root} is not there",
            where="dataset.root",
            cure="correct it in the recipe, or give `dataset.root=FOLDER`",
        )
    if wrong := no_text(str(root)):
        raise UserError(wrong, where=shown(str(root)))
    refuse_ours(root)
    images: list[str] = []
    others: list[Failure] = []
    passed: Counter[str] = Counter()
    for folder, names, reason in _walk(root, passed, others):
        for name in names:
            path = Path(folder, name).relative_to(root).as_posix()
            if wrong := no_text(path):
                others.append(Failure(shown(path), wrong))
            elif reason:
                others.append(Failure(path, reason))
            elif _hidden(name):
                passed["hidden files"] += 1
            elif Path(name).suffix.lower() in SUFFIXES:
                images.append(path)
            else:
                others.append(Failure(path, why(name)))
    others.sort(key=lambda failure: failure.image)
    return Found(sorted(images), others, passed)


def _walk(root: Path, passed: Counter[str], others: list[Failure]) -> Iterator[tuple[str, list[str], str]]:
    """Each folder to look into with its files' names, and why they are no photos, where they are not."""
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        name = shown(Path(str(error.filename)).relative_to(root).as_posix())
        others.append(Failure(name, f"the folder cannot be read: {error.strerror}"))

    for folder, below, names in os.walk(root, followlinks=True, onerror=unreadable):
        facts = os.stat(folder)
        if (facts.st_dev, facts.st_ino) in seen:  # a link back, or a second link to one folder
            below.clear()
            passed["links to folders that were looked into already"] += 1
            continue
        seen.add((facts.st_dev, facts.st_ino))
        for name in [name for name in below if _hidden(name) or _systems(name)]:
            below.remove(name)
            inside = sum(len(files) for _, _, files in os.walk(Path(folder, name)))
            passed[f"files in '{shown(name)}'"] += inside
        below.sort()
        if kind := ours(Path(folder)):
            below.clear()
            yield folder, sorted(names), f"it belongs to a {kind} of wildreid"
        else:
            yield folder, sorted(names), ""


def no_text(path: str) -> str:
    """Why a path cannot be written down, since its bytes are no UTF-8; empty where they are."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8: rename it, or the folder, with letters of today"
    return ""


def shown(path: str) -> str:
    """A path in which bytes that are no UTF-8 are written out as hexadecimal digits."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _systems(name: str) -> bool:
    return name.lower() in SYSTEMS or name.lower().endswith(".lrdata")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in ("thumbs.db", "desktop.ini")


def why(name: str) -> str:
    """Why a file is not taken for an image."""
    if is_film(name):
        return NOT_READ
    ending = Path(name).suffix
    known = WHY.get(ending.lower())
    return f"its name ends in {ending}: {known}" if known else "not an image by its name"


def ours(folder: Path) -> str:
    """What of ours a folder is, such as ``"gallery"``; empty for any other."""
    return next((kind for file, kind in OURS.items() if (folder / file).is_file()), "")


def refuse_ours(folder: Path) -> None:
    """Refuse a gallery's, run's or package's own folder where photos are wanted.

    Raises:
        UserError: it is one.
    """
    if kind := ours(folder):
        raise UserError(
            f"{folder} is a {kind}, not a folder of photos",
            cure="to bring two galleries together: reid gallery join"
            if kind == "gallery"
            else "give the photos",
        )


def by_ending(names: Iterable[str]) -> str:
    """How many files there are of each ending: ``"12 .heic, 1 .avi"``."""
    counted = Counter(Path(name).suffix.lower() or "without an ending" for name in names)
    return ", ".join(f"{many} {ending}" for ending, many in counted.most_common())


def nothing_to_read(others: Iterable[Failure]) -> str:
    """A cure for a folder without a photo that can be read, from what lies there instead; else empty."""
    counted = Counter(Path(failure.image).suffix.lower() for failure in others)
    if not counted:
        return ""
    said = [
        f"{many} {ending or 'without an ending'}" + (f" ({WHY[ending]})" if ending in WHY else "")
        for ending, many in counted.most_common()
    ]
    return f"there are only other files: {', '.join(said)}"
