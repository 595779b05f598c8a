"""What a camera wrote into its photos: when, and which camera it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from wildreid.data.dates import doubts, read_dates
from wildreid.data.images import FORMATS
from wildreid.data.table import Table

_MAKE, _MODEL = 0x010F, 0x0110
_DETAILS = 0x8769
_OFFSET, _OFFSET_ANY, _SERIAL = 0x9011, 0x9010, 0xA431
TIMES = {"DateTimeOriginal": 0x9003, "DateTimeDigitized": 0x9004, "DateTime": 0x0132}
"""EXIF's times by name, the best first: when it was taken, when it was made digital, when the file changed."""


def with_exif(rows: pd.DataFrame, root: Path, *, threads: int = 4) -> pd.DataFrame:
    """Add what EXIF says to rows with a column ``image``: only headers are read.

    Adds ``timestamp`` (local time), ``dated_by`` (which of `TIMES` it is), ``utc_offset`` (minutes), ``make``,
    ``model`` and ``serial`` (body serial number); missing where a photo does not say, or cannot be opened.
    """
    distinct = rows["image"].drop_duplicates()
    with ThreadPoolExecutor(threads) as pool:
        said = list(pool.map(lambda image: _header(root / image), distinct))
    found = pd.DataFrame(
        said, index=pd.Index(distinct), columns=["taken", "dated_by", "zone", "make", "model", "serial"]
    )
    found["timestamp"], _ = read_dates(found["taken"], form="%Y:%m:%d %H:%M:%S")
    zone = found["zone"].astype("string").str.extract(r"^([+-])(\d{2}):(\d{2})$")
    minutes = pd.to_numeric(zone[1]) * 60 + pd.to_numeric(zone[2])
    found["utc_offset"] = (minutes * zone[0].map({"+": 1, "-": -1})).astype("Float64")
    for name in ("dated_by", "make", "model", "serial"):
        found[name] = found[name].astype("string")
    added = found.drop(columns=["taken", "zone"]).reindex(rows["image"]).set_axis(rows.index)
    return rows.assign(**{str(name): added[name] for name in added})


def fill_dates(table: Table) -> Table:
    """Where a table gives no date, take it from EXIF, with a note; the table's own dates stay as they are.

    Nothing is done where its photos are not there.
    """
    missing = table["timestamp"].isna().to_numpy()
    rows = table.rows
    if not missing.any() or not any(
        (table.root / image).is_file() for image in rows.loc[missing, "image"].head(20)
    ):
        return table
    found = with_exif(rows.loc[missing, ["image"]], table.root)
    known = found[found["timestamp"].notna()]
    if known.empty:
        return table
    rows = rows.copy()
    rows.loc[known.index, "timestamp"] = known["timestamp"].astype(rows["timestamp"].dtype)
    if known["utc_offset"].notna().any():
        old = (
            rows["utc_offset"].astype("Float64")
            if "utc_offset" in rows
            else pd.Series(pd.NA, rows.index, "Float64")
        )
        rows["utc_offset"] = old.fillna(known["utc_offset"].reindex(rows.index))
    doubtful = doubts(known["timestamp"], rows["camera"][known.index])
    return table.with_rows(rows).with_notes([*dates_said(known["dated_by"], len(table)), *doubtful])


def dates_said(dated_by: pd.Series[Any], rows: int) -> list[str]:
    """A note of which of EXIF's times dates were taken from."""
    counted = dated_by.value_counts()
    said = ", ".join(f"{many} from {name}" for name, many in counted.items())
    return [f"{int(counted.sum())} of {rows} dates are from EXIF: {said}"] if len(counted) else []


def _header(path: Path) -> tuple[str | None, ...]:
    if not path.is_file():
        return (None,) * 6
    try:
        with Image.open(path, formats=FORMATS) as picture:
            exif = picture.getexif()
            details = exif.get_ifd(_DETAILS)
    except Exception:  # a damaged header says nothing; whether the pixels can be read is asked later
        return (None,) * 6
    times = {name: _moment(details.get(tag) or exif.get(tag)) for name, tag in TIMES.items()}
    dated_by, taken = next(((name, time) for name, time in times.items() if time), (None, None))
    zone = _clean(details.get(_OFFSET)) or _clean(details.get(_OFFSET_ANY))
    makers = _clean(exif.get(_MAKE)), _clean(exif.get(_MODEL)), _clean(details.get(_SERIAL))
    return taken, dated_by, zone, *makers


def _moment(value: Any) -> str | None:
    """A time as EXIF writes it; None for what is none, such as the zeros of a clock that was never set."""
    text = _clean(value)
    good = text is not None and pd.notna(pd.to_datetime(text, format="%Y:%m:%d %H:%M:%S", errors="coerce"))
    return text if good else None


def _clean(value: Any) -> str | None:
    """Text as cameras write it: padded with blanks and zero bytes."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    text = str(value).replace("\0", " ").strip() if value is not None else ""
    return text or None
