"""Crops for other tools: every animal of a table as a JPEG of its own, and a table that reads them back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from wildreid import progress
from wildreid.data.fingerprints import contents
from wildreid.data.frames import file_of, films_of
from wildreid.data.images import Box, cutout, header_of, read
from wildreid.data.table import BOX, Failure, Table, boxes
from wildreid.errors import UserError
from wildreid.files import put
from wildreid.places import cache_folder

TABLE = "crops.csv"
FAILURES = "failures.csv"
_CUT = ("photo_left", "photo_top", "photo_width", "photo_height")


@dataclass(frozen=True)
class Crops:
    """What was written.

    Attributes:
        rows: one row for each crop, as it stands in the table: ``image`` (the crop's file), ``photo`` and
            ``photo_left``, ``photo_top``, ``photo_width``, ``photo_height`` (what was cut out of it, in pixels of
            the upright photo), then the columns of the table that was given.
        failures: of photos that could not be read, and those the table came with.
    """

    rows: pd.DataFrame
    failures: tuple[Failure, ...]


def write_crops(
    table: Table, folder: Path, *, margin: float = 0.0, max_pixels: int = 120_000_000, threads: int = 4
) -> Crops:
    """Write each row's crop, ``crops.csv`` and, where there are failures, ``failures.csv``.

    A crop is named by its photo's bytes and its number among that photo's: ``1f0c9ab2_0.jpg``. It has quality 95
    and carries nothing of the photo's header: no place, no date.

    Args:
        table: any table; a row without a box gives the whole photo.
        folder: new or empty.
        margin: context around a box, as a share of its longer side on each side; cut off where the photo ends.
        max_pixels: a photo that declares more is a failure.
        threads: that decode and write.

    Raises:
        UserError: the folder is not empty, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty", cure="name a new folder by `out=…`")
    table = table.with_rows(table.rows.sort_values("id", kind="stable"))
    hashes = pd.Series(contents(table, cache=cache_folder()), dtype="string").str[:8]
    numbers = hashes.groupby(hashes, dropna=False).cumcount()
    names = [f"{text}_{number}.jpg" for text, number in zip(hashes, numbers, strict=True)]
    paths = [file_of(table.root, image) for image in table["image"]]

    def cut(name: str, path: Path, box: Box | None) -> tuple[int, int, int, int] | str:
        try:
            pixels = read(path, box=box, margin=margin, max_pixels=max_pixels)
            header = header_of(path)
        except UserError as error:
            return error.what
        if header is None:
            return "the photo's header cannot be read"
        put(folder / name, _jpeg(Image.fromarray(pixels)))
        left, top, right, bottom = cutout(header[:2], box, margin, path)
        return left, top, right - left, bottom - top

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(cut, names, paths, boxes(table.rows))
        found = list(progress.bar(done, "cutting", total=len(table)))
    failures = [
        Failure(str(table["image"][row]), reason, row + 1)
        for row, reason in enumerate(found)
        if isinstance(reason, str)
    ]
    good = [row for row, cutout in enumerate(found) if not isinstance(cutout, str)]
    rows = table.rows.iloc[good].drop(columns=["id", *BOX]).rename(columns={"image": "photo"})
    film = films_of(rows["photo"])
    if "source" not in rows:  # crops of all folders lie in one, and a folder stands in for a camera
        rows["source"] = film.fillna(rows["photo"]).str.replace(r"/?[^/]*$", "", regex=True)
    if film.notna().any():  # and a crop does not tell of its film
        rows["sequence"] = rows["sequence"].fillna(film) if "sequence" in rows else film
    cuts = pd.DataFrame([found[row] for row in good], columns=list(_CUT), index=rows.index)
    front = pd.DataFrame({"image": [names[row] for row in good]}, index=rows.index)
    rows = front.join(rows[["photo"]]).join(cuts).join(rows.drop(columns="photo")).reset_index(drop=True)
    put(folder / TABLE, lambda aside: rows.to_csv(aside, index=False))
    told = (*table.failures, *failures)
    if told:
        listed = pd.DataFrame([(one.key or one.row, one.image, one.reason) for one in told])
        listed.columns = pd.Index(["record", "image", "reason"])
        put(folder / FAILURES, lambda aside: listed.to_csv(aside, index=False))
    return Crops(rows, told)


def _jpeg(picture: Image.Image) -> Callable[[Path], object]:
    return lambda aside: picture.save(aside, format="JPEG", quality=95)
