"""From what a person points at (files, folders, a table, pixels) to a table of annotations to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wildreid.data.columns import is_table
from wildreid.data.exif import dates_said, with_exif
from wildreid.data.files import find_images, no_text, nothing_to_read, shown
from wildreid.data.read import read_table
from wildreid.data.table import Failure, Table
from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognised
from wildreid.recipe import load_recipe
from wildreid.registry import Registry

if TYPE_CHECKING:
    pass


NO_TABLE = "names of columns, a form of dates and words for unknown go with a table, and this is none"


def find_photos(sources: Sequence[str | Path]) -> tuple[list[Path], list[Failure], list[str]]:
    """The photos that are meant by files and folders of them, absolute, in their order.

    A folder's are sorted. A photo that is given twice is there twice.

    Returns:
        The photos; the other files of the folders, each with the reason; notes on what was passed over.

    Raises:
        UserError: there is no such file, or no photo at all.
    """
    photos: list[Path] = []
    others: list[Failure] = []
    notes: list[str] = []
    for source in sources:
        if not isinstance(source, (str, Path)):
            raise UserError(
                f"{source!r} is no path of a photo, folder or table", cure="give paths, arrays, or a Table"
            )
        path = Path(os.path.abspath(source))  # without "..", which a table's paths must not have
        if path.is_dir():
            found = find_images(path)
            photos += [path / image for image in found.images]
            others += [replace(failure, image=str(path / failure.image)) for failure in found.others]
            notes += found.notes
        elif path.exists() and (wrong := no_text(str(path))):
            others.append(Failure(shown(str(path)), wrong))
        elif path.exists():
            photos.append(path)
        else:
            raise UserError(f"there is no photo, folder or table {source}")
    if not photos:
        raise UserError(
            "there is no photo here", where=", ".join(map(str, sources)), cure=nothing_to_read(others)
        )
    return photos, others, notes


def read_photos(
    sources: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    unknown: Sequence[str] | None = None,
) -> Table:
    """Photos whose animals may be unknown; one that is given twice is one row.

    Args:
        sources: image files and folders of them (dates and camera from EXIF), one CSV or Parquet file with a
            column ``image`` and, where they are known, ``timestamp``, ``camera`` and boxes, or one file or
            folder that a data set recognises (see `wildreid.pipeline.recognise`).
        root: the folder that a table's paths are relative to; None: the table's own.
        columns: a table's, as for `read_table`.
        dates: likewise.
        unknown: likewise; where nobody says, words such as NA mean so here.

    Raises:
        UserError: there is no such file, no photo at all, or no table where something is said of one.
    """
    said: dict[str, Any] = {"columns": columns, "dates": dates, "unknown": unknown}
    return read_given(sources, root=root, **said)[0]


def read_given(
    sources: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    unknown: Sequence[str] | None = None,
) -> tuple[Table, Sequence[int]]:
    """As `read_photos`, and beside the table the row of each photo in the order that they were given."""
    said = columns or dates or unknown is not None
    alone = sources[0] if len(sources) == 1 and not said else None
    known = recognised(Path(alone)) if isinstance(alone, (str, Path)) else None
    if known is not None:
        table = known.table(Path(root) if root is not None else None)
        return table, range(len(table))
    tables = [Path(one) for one in sources if isinstance(one, (str, Path)) and is_table(Path(one))]
    if tables and len(sources) > 1:
        raise UserError("give photos and folders, or one table, not both", where=str(tables[0]))
    if tables:
        folder = Path(root or tables[0].parent).absolute()
        table = read_table(tables[0], folder, columns=columns, dates=dates, unknown=unknown, named=False)
        _check_there(table, tables[0])
        return table, range(len(table))
    if said:
        raise UserError(NO_TABLE, where=", ".join(map(str, sources)))
    found, others, notes = find_photos(sources)
    row = {photo: number for number, photo in enumerate(dict.fromkeys(found))}
    shared = Path(os.path.commonpath([photo.parent for photo in row]))
    rows = pd.DataFrame({"image": [photo.relative_to(shared).as_posix() for photo in row]})
    rows = with_exif(rows, shared)
    notes += dates_said(rows.pop("dated_by"), len(rows))
    table = Table.of(rows.assign(identity=None, camera=rows["serial"]), shared, others).with_notes(notes)
    return table, [row[photo] for photo in found]


def _check_there(table: Table, file: Path) -> None:
    """Refuse a table none of whose photos is where it says."""
    if len(table) and not any((table.root / image).is_file() for image in table["image"]):
        raise UserError(
            f"none of the {len(table)} photos is there, such as {table.root / table['image'][0]}",
            where=str(file),
            cure="say which folder its paths are relative to (root)",
        )


def read_data(
    source: str | Path,
    *,
    parts: Sequence[str] = (),
    root: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    unknown: Sequence[str] | None = None,
) -> Table:
    """Photos of named individuals.

    Args:
        source: a table (CSV or Parquet), a file or folder that a data set recognises, a folder with a folder
            for each individual, a run's folder (its photos, with their parts), or a recipe (its data set).
        parts: keep these parts alone, such as ``train`` and ``val``.
        root: the folder that a table's paths are relative to; None: the table's own.
        columns: a table's, as for `read_table`.
        dates: likewise.
        unknown: likewise, and of a folder.

    Raises:
        UserError: it is none of these, or has no such part; something is said of a table, and it is none.
    """
    path = Path(source)
    if not path.exists():
        raise UserError(
            f"there is nothing at {path}",
            cure="give a table, a folder with a folder for each individual, a run, or a recipe",
        )
    said = columns or dates
    known = None if said or unknown is not None else recognised(path)
    if known is not None:
        table = known.table(Path(root) if root is not None else None)
    elif is_table(path):
        folder = Path(root or path.parent).absolute()
        table = read_table(path, folder, columns=columns, dates=dates, unknown=unknown)
        _check_there(table, path)
    elif said:
        raise UserError(NO_TABLE, where=str(path))
    elif path.suffix.lower() in (".yaml", ".yml"):
        table = load_recipe(path).recipe.dataset.table()
    elif (path / "split.parquet").is_file():  # a run: the photos that it was made of
        from wildreid.pipeline import RunFolder

        table = RunFolder(path).load_split()
    else:
        option = Registry().choose("dataset", "folder")
        fields = {"root": str(path.absolute()), "unknown": unknown}
        table = option.model_validate(fields).table()  # type: ignore[attr-defined]
    if parts:
        if "part" not in table.rows or not set(parts) <= set(table["part"].dropna()):
            there = sorted(set(table["part"].dropna())) if "part" in table.rows else []
            raise UserError(
                f"there is no part {' or '.join(parts)}; there are: {', '.join(there) or 'none'}",
                where=str(path),
            )
        table = table.with_rows(table.of_part(*parts))
    return table
