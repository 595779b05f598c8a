"""Somebody's file or folder, taken by its structure for what one of the data sets reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wildreid.data.images import SUFFIXES
from wildreid.data.peek import Peek
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Dataset
from wildreid.registry import Registry


@dataclass(frozen=True)
class Recognised:
    """What data were taken for.

    Attributes:
        name: of the data set.
        fields: its own, as a recipe writes them.
        what: in words.
        option: the data set's class.
    """

    name: str
    fields: Mapping[str, Any]
    what: str
    option: type[Dataset]

    def dataset(self, root: Path | None = None) -> Dataset:
        """The data set.

        Args:
            root: the folder that paths are relative to; None: as it was found.
        """
        given = {} if root is None else {"root": str(root.absolute())}
        return self.option.model_validate({**self.fields, **given})

    def table(self, root: Path | None = None) -> Table:
        """Its table, with a note that says what it was taken for.

        Raises:
            UserError: none of its records became a row.
        """
        told = f"taken for {self.what}: dataset {self.name}"
        table = self.dataset(root).table()
        if not len(table):
            says = table.origin.says() if table.origin else ["there is no row"]
            fields = ", ".join(f"{name}: {value}" for name, value in self.fields.items() if name != "root")
            raise UserError(
                f"{told}; {'; '.join(says)}",
                where=str(self.fields.get("root", "")),
                cure="say in a recipe where its photos are: dataset: {name: "
                + ", ".join(filter(None, (self.name, "root: FOLDER", fields)))
                + "}",
            )
        return replace(table, notes=(told, *table.notes))


def recognise(path: Path, *, registry: Registry | None = None, inside: bool = False) -> Recognised | None:
    """What a file or folder is, where a data set is certain of it.

    Args:
        path: of a file or folder.
        registry: of the data sets; None: all that are installed.
        inside: where a folder itself is nothing, look at the JSON files and tables that lie in it.

    Raises:
        UserError: two data sets claim it; a JSON file that is none.
    """
    options = (registry or Registry()).options("dataset")
    found = _claimed(Peek(path), options)
    if found is None and inside and path.is_dir():
        files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in (".json", ".csv")]
        claims = []
        for file in files:
            try:
                claims.append(_claimed(Peek(file), options))
            except UserError:
                continue  # a file of something else
        claimed = [claim for claim in claims if claim is not None]
        found = claimed[0] if len(claimed) == 1 else None
    return found


def recognised(path: Path) -> Recognised | None:
    """As `recognise`, for what somebody points at: a photo, a recipe and a run's folder are what they are."""
    own = path.suffix.lower() in (*SUFFIXES, ".yaml", ".yml") or (path / "split.parquet").is_file()
    return None if own or not path.exists() else recognise(path)


def _claimed(peek: Peek, options: Mapping[str, Any]) -> Recognised | None:
    claims = [
        Recognised(name, dict(guess.fields), guess.what, option)
        for name, option in options.items()
        if (guess := option.recognise(peek=peek)) is not None
    ]
    if len(claims) > 1:
        raise UserError(
            f"this could be {' or '.join(claim.what for claim in claims)}",
            where=str(peek.path),
            cure="say which in a recipe: dataset: {name: " + claims[0].name + ", root: …}",
        )
    return claims[0] if claims else None
