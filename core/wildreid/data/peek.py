"""A first look at a file or folder, by which a data set can say that it is what it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wildreid.data.columns import is_table
from wildreid.data.rows import read_rows
from wildreid.data.texts import read_json
from wildreid.errors import UserError

SOME = 40
"""How many paths are tried to find the folder that they start at."""


@dataclass(frozen=True)
class Guess:
    """What a data set makes of somebody's data.

    Attributes:
        fields: its own fields, as a recipe writes them: ``root`` and what else is not the default.
        what: what it took the data for, in words: ``Camtrap DP 1.0.2``.
    """

    fields: Mapping[str, Any]
    what: str


class Peek:
    """A file or folder that is asked about; each way to look at it is done once, whoever asks.

    Attributes:
        path: absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of what lies directly in a folder, sorted; empty for a file."""
        return tuple(sorted(os.listdir(self.path))) if self.path.is_dir() else ()

    @cached_property
    def content(self) -> Any:
        """What a JSON file holds; None for anything else.

        Raises:
            UserError: a ``.json`` file that is none.
        """
        return read_json(self.path) if self.path.is_file() and self.path.suffix.lower() == ".json" else None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table (CSV, TSV, Parquet) by its head; empty for anything else."""
        if not self.path.is_file() or not is_table(self.path):
            return ()
        try:
            rows, _ = read_rows(self.path, most=1)
            return tuple(str(name) for name in rows if name != "table_row")
        except UserError:
            return ()

    def root_of(self, paths: Iterable[str]) -> Path:
        """The folder near a file at which most of the paths that it names start; its own where none does."""
        some = [path.replace("\\", "/") for path, _ in zip(paths, range(SOME), strict=False)]
        near = self.path if self.path.is_dir() else self.path.parent
        for root in (near, near / "images", near / "photos", near / "data", near.parent):
            if some and sum((root / path).is_file() for path in some) > 0.8 * len(some):
                return root
        return near
