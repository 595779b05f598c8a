"""Find the image files under a folder, and say what else lies there."""

from __future__ import annotations

import os
from pathlib import Path

from wildreid.data.images import SUFFIXES
from wildreid.data.table import Failure
from wildreid.errors import UserError


def find_images(root: Path) -> tuple[list[str], list[Failure]]:
    """The images under a folder, by their names' endings, sorted; hidden files and folders are passed over.

    Returns:
        Paths relative to `root` with forward slashes, and the other files as failures.

    Raises:
        UserError: there is no such folder.
    """
    if not root.is_dir():
        raise UserError(
            f"the data set's root {root} is not there",
            where="dataset.root",
            cure="mend it in the recipe, or give --set dataset.root=FOLDER",
        )
    images: list[str] = []
    others: list[str] = []
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in names:
            if not name.startswith("."):
                path = Path(folder, name)
                kept = images if path.suffix.lower() in SUFFIXES else others
                kept.append(path.relative_to(root).as_posix())
    return sorted(images), [Failure(name, "not an image by its name") for name in sorted(others)]
