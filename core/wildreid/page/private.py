"""What a page may not tell unless its owner says so: cameras, places on disk and on earth, machines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WITHHELD = "(withheld)"
_ABSOLUTE = re.compile(r"^(?:file:|~|/|\\\\|[A-Za-z]:[\\/])")
_PATH = re.compile(r"(?:(?<![\w.:/<~\\])|(?<=local-dir:))(?:file:/+|~/|/|\\\\|[A-Za-z]:[\\/])[^\s'\"<>|]+")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_HIDDEN = re.compile(
    r"(?:^|[_.-])(?:lat|lon|lng|latitude|longitude|gps|coordinates?|easting|northing|host|hostname|node|user|cwd|argv"
    r"|command)(?:$|[_.-])",
    re.IGNORECASE,
)


def tells(key: str) -> bool:
    """Whether a key or column of this name may tell a place on earth, a machine or its serial number."""
    return bool(_HIDDEN.search(key) or re.search("serial", key, re.IGNORECASE))


class Veil:
    """Makes cameras anonymous, and takes paths, coordinates and the machine's name out of what a page shows.

    Args:
        cameras: their names; they become ``camera 1``, ``camera 2`` … in sorted order.
        places: folders that may stand in texts, such as the root of the images.
        private: the page is for its owner's eyes (``private: true`` in the recipe): nothing is withheld.
    """

    def __init__(self, cameras: Iterable[str], *, places: Iterable[Path] = (), private: bool = False) -> None:
        self.private = private
        self._cameras = {name: f"camera {n}" for n, name in enumerate(sorted(set(cameras)), 1)}
        # a name of one or two signs, or of digits alone, stands in texts for other things too
        long = [name for name in self._cameras if len(name) > 2 and not name.isdigit()]
        self._folded = {name.casefold(): self._cameras[name] for name in long}
        roots = {str(place) for place in places} | {os.path.expanduser("~")}
        roots = {root for root in roots if len(root) > 1}
        self._places = re.compile(
            rf"(?:{'|'.join(map(re.escape, sorted(roots, key=len, reverse=True))) or '$.'})[^\s'\"<>|]*"
        )
        names = "|".join(map(re.escape, sorted(long, key=len, reverse=True)))
        self._names = re.compile(rf"(?<![^\W_])(?:{names})(?![^\W_])", re.IGNORECASE) if names else None

    def camera(self, name: str) -> str:
        """What to call this camera."""
        return name if self.private else self._cameras.get(name, WITHHELD)

    def text(self, text: str) -> str:
        """A text without absolute paths, logins and the names of cameras."""
        if self.private:
            return text
        if text in self._cameras:
            return self._cameras[text]
        if _ABSOLUTE.match(text):
            return WITHHELD
        text = _LOGIN.sub("", _PATH.sub(WITHHELD, self._places.sub(WITHHELD, text)))
        if self._names is not None:
            text = self._names.sub(lambda found: self._folded[found[0].casefold()], text)
        return text

    def data(self, value: Any) -> Any:
        """Plain data (mappings, lists, texts, numbers) with each text seen to, and telling keys withheld."""
        if isinstance(value, Mapping):
            return {
                self._cameras.get(str(key), str(key)) if not self.private else str(key): WITHHELD
                if not self.private and _HIDDEN.search(str(key))
                else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return self.text(value) if isinstance(value, str) else value
