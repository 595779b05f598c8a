"""The one way in for photos: files are opened and fingerprinted, the unreadable left out, encounters told apart.

Runs, audits, data pages and galleries come through here, whatever named the photos: a data set of a recipe, a
table, or files on a command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.apart import keep_apart
from wildreid.data.columns import check_parts
from wildreid.data.fingerprints import contents, fingerprint
from wildreid.data.groups import annotate
from wildreid.data.masks import Masks, open_masks
from wildreid.data.read import read_table
from wildreid.data.splits import assign
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Failure, Table, boxes
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.pipeline.recognise import Recognised
from wildreid.places import cache_folder
from wildreid.progress import note
from wildreid.recipe import Loaded, Recipe
from wildreid.recipe.settings import Encounters, Images


@dataclass(frozen=True)
class Opened:
    """A table whose files were opened.

    Attributes:
        table: the rows that can be used, with ``content``, ``sequence``, ``group`` and ``encounter``, and where
            it was asked for ``phash``; the others are among its failures.
        kept: (rows of `table`,) the row of each in the table that was given.
        failures: what could not be read, with its position in the table that was given; among the failures of
            `table` they have the row that the file gives it.
    """

    table: Table
    kept: NDArray[np.intp]
    failures: tuple[Failure, ...]


def opened(table: Table, encounters: Encounters, *, perceptual: bool | None = None) -> Opened:
    """Open the files of a table without keeping pixels.

    A table none of whose files is there, such as one that came without its photos, is read by what it says.

    Args:
        table: any table.
        encounters: what counts as one encounter.
        perceptual: whether near duplicates are looked for; None: as `encounters` says.
    """
    looks = encounters.near_duplicates if perceptual is None else perceptual
    found = fingerprint(table, cache=cache_folder(), perceptual=looks)
    usable = found["phash" if looks else "content"].notna().to_numpy()
    if not usable.any():
        note("no image can be read: near duplicates are not looked for")
        return _kept(table, encounters, np.arange(len(table)), ())
    failures = tuple(
        Failure(str(table["image"].iloc[row]), "the image cannot be read", int(row))
        for row in np.flatnonzero(~usable)
    )
    return _kept(found, encounters, np.flatnonzero(usable), failures)


def opened_with_pixels(
    table: Table,
    images: Images,
    encounters: Encounters,
    *,
    perceptual: bool | None = None,
    threads: int = 2,
    foreground: Segmenter | None = None,
    device: str = "cpu",
) -> tuple[Opened, ImageStore]:
    """Open the files of a table, and their pixels as a network takes them.

    Args:
        table: any table.
        images: how pixels become the network's input.
        encounters: what counts as one encounter.
        perceptual: whether near duplicates are looked for; None: as `encounters` says.
        threads: that decode.
        foreground: what tells the animals from the place; None: nothing.
        device: that it may use.

    Returns:
        What was opened, and the pixels of every row of the table that was given.
    """
    looks = encounters.near_duplicates if perceptual is None else perceptual
    found = fingerprint(table, cache=cache_folder(), perceptual=looks)
    store = open_images(
        found, images, cache=cache_folder(), threads=threads, foreground=foreground, device=device
    )
    return _kept(found, encounters, np.flatnonzero(store.usable), store.failures), store


def _kept(
    table: Table, encounters: Encounters, kept: NDArray[np.intp], failures: tuple[Failure, ...]
) -> Opened:
    rows = annotate(table.with_rows(table.rows.iloc[kept]), encounters)
    called = table.rows.get("table_row")
    told = [
        replace(one, row=None if called is None or one.row is None else int(called.iloc[one.row]))
        for one in failures
    ]
    return Opened(rows.with_failures(told), kept, failures)


def of_file(
    file: Path,
    root: Path | None,
    *,
    known: Recognised | None = None,
    columns: Mapping[str, str] | None = None,
    dates: str | None = None,
    unknown: Sequence[str] | None = None,
) -> Table:
    """A table with groups and hashes, from a file that says the part of each image.

    Args:
        file: a table as `read_table` takes, or what `known` was recognised in.
        root: where its images are; None: its own folder.
        known: what a data set takes it for; None: it is a table.
        columns: a table's, as for `read_table`.
        dates: likewise.
        unknown: likewise.

    Raises:
        UserError: it cannot be read, says no part, or a word for one that is not known.
    """
    if known:
        table = known.table(root)
    else:
        folder = root or file.absolute().parent
        table = read_table(file, folder, columns=columns, dates=dates, unknown=unknown)
    said(table)
    if "part" not in table.rows:
        raise UserError(
            f"the table has no column 'part'; it has {', '.join(table.rows.columns)}",
            where=str(file),
            cure="add one that says train, val or test",
        )
    cure = "write train, val or test, and leave empty what is in no part"
    parts = check_parts(table["part"], where=f"{file}, column 'part'", cure=cure)
    table = table.with_rows(table.rows.assign(part=parts))
    if root is None and not any((table.root / image).is_file() for image in table["image"][:5]):
        return annotate(table, Encounters())  # the photos are elsewhere
    return annotate(fingerprint(table, cache=cache_folder()), Encounters())  # a photo that is gone counts too


def of_recipe(loaded: Loaded, *, must: bool = True) -> Table:
    """The split that a run of the recipe would make; it is not refused where it leaks.

    Args:
        loaded: the recipe.
        must: whether data that cannot be divided are refused; if not, a note says why, and nothing is in a part.

    Raises:
        UserError: as a run would.
    """
    recipe = loaded.recipe
    for text in loaded.notes:
        note(text)
    table = recipe.dataset.table()
    said(table)
    table = keep_apart(opened(table, recipe.encounters).table, recipe.apart)
    try:
        return assign(table, recipe.splitter, seed=recipe.seed_of_split)
    except UserError as error:
        if must:
            raise
        note(f"the data cannot be divided yet: {error.what}")
        return undivided(table, error.what)


def undivided(table: Table, why: str) -> Table:
    """The table with nothing in a part, to be looked at."""
    rows = table.rows.assign(part=pd.Series(pd.NA, table.rows.index, "string"), role="both")
    return table.with_rows(rows).with_notes([f"The data cannot be divided yet: {why}"])


def masks_of(table: Table, recipe: Recipe) -> Masks | None:
    """The masks of a table that was opened; None for a recipe without a foreground.

    Raises:
        UserError: the segmenter lacks something.
    """
    if recipe.foreground is None:
        return None
    return open_masks(
        table, recipe.images, recipe.foreground,
        content=contents(table, cache=cache_folder()), box=boxes(table.rows), cache=cache_folder(),
        threads=max(1, recipe.training.workers),
    )  # fmt: skip


def said(table: Table) -> None:
    """Say what a reader should know of how a table was read."""
    for text in table.notes:
        note(text)
