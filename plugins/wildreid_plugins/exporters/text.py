"""How exporters write: numbers without noise, CSV with LF, the same bytes on every machine."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MOMENT = "%Y-%m-%d %H:%M:%S"


def number(value: float, digits: int = 6) -> str:
    """``5`` for 5.0, ``4.5`` for 4.5; empty for none."""
    if value != value:  # NaN
        return ""
    text = f"{float(value):.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def each(frame: Any) -> Any:
    """The rows of a frame, as named tuples."""
    return frame.itertuples()


def instant(when: Any) -> str:
    """A time in UTC, ``2024-06-01T09:00:00Z``; empty for none."""
    return "" if when != when else f"{when:%Y-%m-%dT%H:%M:%SZ}"


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 with LF; returns the path."""
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, spreadsheet: bool = False
) -> Path:
    """Write a CSV; cells are quoted only where they must be. Returns the path.

    Args:
        path: the file.
        columns: its first line.
        rows: its others.
        spreadsheet: for Excel: with a byte order mark, and a ``'`` before a cell that would be a formula.
    """
    with path.open("w", encoding="utf-8-sig" if spreadsheet else "utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_harmless(cell) for cell in row] if spreadsheet else row)
    return path


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
