"""Finds photos that a table or an XML file names by a path of somebody else's machine."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from wildreid.data.files import find_images

DEEP = 4  # BearID's photos lie in <origin>/<source>/<label>/<file>; the four together are a photo's name


def parts(path: str) -> tuple[str, ...]:
    """The last four parts of a path, without drive, root and ``..``."""
    pure = PurePosixPath(path.strip().replace("\\", "/"))
    return tuple(part for part in pure.parts if part not in ("/", "..") and not part.endswith(":"))[-DEEP:]


def key(path: str) -> str:
    """What two spellings of one photo's path have in common: ``.JPG`` and ``.jpg`` are one."""
    name = PurePosixPath(*parts(path))
    return str(name.with_suffix(name.suffix.lower())) if name.suffix else str(name)


class Photos:
    """The photos under a folder.

    Args:
        root: the folder.

    Raises:
        UserError: it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.files = find_images(root).images
        self._by_key: dict[str, list[str]] = {}
        for file in self.files:
            self._by_key.setdefault(key(file), []).append(file)

    def find(self, path: str) -> str | None:
        """The photo that somebody calls `path`, relative to the root; None where it is not there.

        Where two folders hold a photo of that name, such as one of them in small, it is the one whose path
        agrees with `path` further back; of equals the shorter.
        """
        named = [part.lower() for part in PurePosixPath(path.replace("\\", "/")).parts]

        def agreement(file: str) -> tuple[int, int, str]:
            same = 0
            for ours, theirs in zip(reversed(PurePosixPath(file).parts), reversed(named), strict=False):
                if ours.lower() != theirs:
                    break
                same += 1
            return -same, len(file), file

        return min(self._by_key.get(key(path), ()), key=agreement, default=None)
