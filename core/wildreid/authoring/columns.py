"""Which column of somebody's table is what: by its name, and by what stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.data.images import SUFFIXES

NAMES = {
    "image": ("image", "imagepath", "path", "filepath", "relativepath", "file", "filename", "imagename",
              "img", "photo", "picture"),
    "identity": ("identity", "individual", "individualid", "animal", "animalid", "name", "label", "id",
                 "individualname", "identityid"),
    "camera": ("camera", "cameraid", "cameraname", "station", "stationid", "cam", "trap", "trapid", "site",
               "siteid", "location", "locationid", "deployment", "deploymentid"),
    "timestamp": ("timestamp", "datetime", "datetimeoriginal", "captured", "capturetime", "capturedate",
                  "datecaptured", "eventdate", "date", "time"),
    "viewpoint": ("viewpoint", "orientation", "side", "flank", "view", "aspect"),
    "part": ("part", "split", "originalsplit", "set", "subset", "partition", "fold"),
    "box_left": ("boxleft", "left", "x", "bboxx", "xmin", "boxx"),
    "box_top": ("boxtop", "top", "y", "bboxy", "ymin", "boxy"),
    "box_width": ("boxwidth", "width", "w", "bboxw", "bboxwidth", "boxw"),
    "box_height": ("boxheight", "height", "h", "bboxh", "bboxheight", "boxh"),
}  # fmt: skip
"""Our columns, and the names that others give them, most telling first; lower case, letters alone."""

BOX = ("box_left", "box_top", "box_width", "box_height")

FORMS = (
    "%Y:%m:%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%Y%m%d_%H%M%S", "%d.%m.%Y",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y",
    "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S",
)  # fmt: skip


def guess_columns(rows: pd.DataFrame) -> dict[str, str]:
    """Our column names to the table's, for those that can be told."""
    theirs = {re.sub(r"[^a-z]", "", str(name).lower()): str(name) for name in reversed(rows.columns)}
    found: dict[str, str] = {}
    for ours, names in NAMES.items():
        for name in names:
            column = theirs.get(name)
            if column is not None and column not in found.values() and _looks_like(ours, rows[column]):
                found[ours] = column
                break
    if not all(name in found for name in BOX):
        found = {ours: column for ours, column in found.items() if ours not in BOX}
    return found


def _looks_like(ours: str, values: pd.Series[Any]) -> bool:
    known = values.dropna().astype(str)
    if known.empty:
        return False
    if ours == "image":
        return bool(known.str.lower().str.endswith(tuple(SUFFIXES)).mean() > 0.9)
    if ours == "timestamp":
        return guess_form(known) is not False
    if ours == "identity":
        return 1 < known.nunique() < len(known)
    if ours.startswith("box"):
        return bool(pd.to_numeric(known, errors="coerce").notna().all())
    return known.nunique() < len(known)


def guess_form(values: pd.Series[Any]) -> str | bool | None:
    """The `strptime` form of dates; None for ISO 8601; False where they are no dates, or could be two."""
    known = values.dropna().astype(str).str.strip()
    known = known[known != ""]
    if known.empty:
        return False
    iso = known.str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?")
    if iso.all() and pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True).notna().all():
        return None
    fits = [form for form in FORMS if pd.to_datetime(known, format=form, errors="coerce").notna().all()]
    return fits[0] if len(fits) == 1 else False


def find_root(images: pd.Series[Any], near: Path) -> Path | None:
    """The folder, near the table, that the image paths are relative to; None where most are not found."""
    some = images.dropna().astype(str).sample(min(len(images), 40), random_state=0)
    for root in (near, near / "images", near / "photos", near / "data", near.parent):
        if sum((root / image).is_file() for image in some) > 0.8 * len(some):
            return root
    return None
