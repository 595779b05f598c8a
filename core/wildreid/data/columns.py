"""Which column of somebody's table is what, by its name and by what stands in it; the words for parts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.data.dates import are_clocks, guess_form
from wildreid.data.images import SUFFIXES
from wildreid.data.paths import as_spelled, below
from wildreid.data.table import BOX
from wildreid.errors import UserError

TABLES = (".csv", ".tsv", ".parquet", ".pq")
"""Endings of files that are read as tables."""

NAMES = {
    "image": ("image", "imagepath", "path", "filepath", "relativepath", "file", "filename", "imagename",
              "img", "photo", "picture"),
    "identity": ("identity", "individual", "individualid", "individualname", "idindividual", "animal",
                 "animalid", "identityid", "name", "label", "id"),
    "camera": ("camera", "cameraid", "cameraname", "station", "stationid", "cam", "trap", "trapid", "site",
               "siteid", "location", "locationid", "deployment", "deploymentid"),
    "timestamp": ("timestamp", "datetime", "datetimeoriginal", "captured", "capturetime", "capturedate",
                  "datecaptured", "datetaken", "taken", "eventdate", "date", "time"),
    "time": ("time", "timeofday", "clocktime", "capturetime", "eventtime", "hour", "uhrzeit", "heure", "hora"),
    "viewpoint": ("viewpoint", "orientation", "side", "flank", "view", "aspect"),
    "part": ("part", "split", "originalsplit", "set", "subset", "partition", "fold"),
}  # fmt: skip
"""Our columns, and the names that others give them, most telling first; lower case, letters alone."""

BOXES = (
    ("boxleft", "boxtop", "boxwidth", "boxheight"),
    ("bboxx", "bboxy", "bboxwidth", "bboxheight"),
    ("bboxx", "bboxy", "bboxw", "bboxh"),
    ("boxx", "boxy", "boxw", "boxh"),
    ("left", "top", "width", "height"),
    ("x", "y", "w", "h"),
)
"""What others call the four columns of a box; all four of one row, or none: x may be a coordinate."""

PARTS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""The words for parts."""


def is_table(path: Path) -> bool:
    """Whether a file is a table, by its ending."""
    return path.suffix.lower() in TABLES


def guess_columns(rows: pd.DataFrame, *, apart: Iterable[str] = ()) -> dict[str, str]:
    """Our column names to the table's, for those that can be told.

    A name that is ours, or that means one thing alone (``individual_id``), is believed; one that may mean
    another thing (``name``, ``date``, ``x``) only where its values look so.

    Args:
        rows: the table as it was read, its values as text.
        apart: the table's columns that are something else for certain.
    """
    taken = set(apart)
    theirs = {
        letters: str(name)
        for name in reversed(rows.columns)
        if (letters := _letters(name)) and name not in taken
    }
    found: dict[str, str] = {}
    for ours, names in NAMES.items():
        for name in names:
            column = ours if ours in rows and ours not in taken else theirs.get(name)
            if column is None or column in found.values():
                continue
            if (column == ours and ours != "time") or _looks_like(ours, name, rows[column]):
                found[ours] = column
                break
    for names in BOXES:
        columns = [theirs.get(name) for name in names]
        if all(column is not None and _numbers(rows[column]) for column in columns):
            found |= {ours: str(column) for ours, column in zip(BOX, columns, strict=True)}
            break
    return found


def _letters(name: object) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())


_TELLING = {"individual", "individualid", "individualname", "idindividual", "animalid", "identityid"}
"""Names for an identity that are believed whatever stands in the column."""


def _looks_like(ours: str, name: str, values: pd.Series[Any]) -> bool:
    known = values.dropna().astype(str)
    if ours == "image":
        return bool(known.str.lower().str.endswith(tuple(SUFFIXES)).mean() > 0.9) if len(known) else True
    if ours == "part":
        return bool(read_parts(known).notna().any())
    if ours == "time":
        return are_clocks(known)
    if ours == "timestamp":
        if are_clocks(known):
            return False
        return guess_form(known) is not False or not known.str.fullmatch(r"\D*").all()
    if ours == "identity" and name not in _TELLING:
        return known.nunique() < len(known)
    return not known.empty


def _numbers(values: pd.Series[Any]) -> bool:
    known = values.dropna()
    return not known.empty and bool(pd.to_numeric(known, errors="coerce").notna().all())


def read_parts(values: pd.Series[Any], words: Mapping[str, str | None] | None = None) -> pd.Series[Any]:
    """Train, val and test as others write them, missing for any other word.

    Args:
        values: such as ``Training``, ``valid``.
        words: more of them: ``{"seen": "train", "spare": None}``.
    """
    known = {**PARTS, **{word.lower(): part for word, part in (words or {}).items()}}
    return values.astype("string").str.strip().str.lower().map(known).astype("string")


def check_parts(
    values: pd.Series[Any], words: Mapping[str, str | None] | None = None, *, where: str, cure: str
) -> pd.Series[Any]:
    """As `read_parts`, but a word that is not known is refused: its rows would be in no part, unnoticed.

    Raises:
        UserError: such words, with how often each stands there.
    """
    texts = values.astype("string").str.strip()
    known = {*PARTS, *(word.lower() for word in words or {})}
    strange = texts[texts.notna() & (texts != "") & ~texts.str.lower().isin(known)]
    if len(strange):
        listed = ", ".join(f"'{word}' ({count})" for word, count in strange.value_counts().head(10).items())
        raise UserError(f"the column of parts says {listed}, which is no part", where=where, cure=cure)
    return read_parts(values, words)


def find_root(images: pd.Series[Any], near: Path) -> Path | None:
    """The folder, near the table, that the image paths are relative to; None where most are not found."""
    some = images.dropna().astype("string").sample(min(len(images.dropna()), 40), random_state=0)
    for root in (near, near / "images", near / "photos", near / "data", near.parent):
        paths, _ = as_spelled(below(some, root), root)
        there = [path for path in paths if not path.startswith("/") and (root / path).is_file()]
        if len(there) > 0.8 * len(some):
            return root
    if len(some) and all(Path(path).is_absolute() and Path(path).is_file() for path in some):
        every = [os.path.dirname(path) for path in images.dropna().astype(str).unique()]
        return Path(os.path.commonpath(every))
    return None
