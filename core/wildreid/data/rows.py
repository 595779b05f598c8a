"""Read a file's cells as they are: text of whatever program wrote it, with the row of each."""

from __future__ import annotations

import csv
import io
import re
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.errors import UserError

AGAIN = " (again)"
"""What follows the name of a column whose name stands in the header already, with other values."""


def read_rows(file: Path, *, most: int | None = None) -> tuple[pd.DataFrame, list[str]]:
    """A table as it stands in the file: texts of a CSV stay text (007 stays 007, NA stays NA).

    UTF-8, UTF-16 and Windows-1252 are told apart; commas, semicolons and tabs; a first line ``sep=;``. In a
    file without commas between its cells a column of numbers like 2,5 is one of 2.5.

    Args:
        file: see `wildreid.data.columns.TABLES` for its endings.
        most: read so many rows of a CSV at most; None: all.

    Returns:
        The rows, with their number in the file as ``table_row`` (the header is row 1), and what one should
        know of how they were read.

    Raises:
        UserError: a file that is not there or not readable.
    """
    notes: list[str] = []
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            rows = _decoded(pd.read_parquet(file), file)
            rows = rows.assign(table_row=range(2, len(rows) + 2))
        else:
            rows, notes = _of_text(file, most)
    except FileNotFoundError:
        raise UserError("there is no such table", where=str(file)) from None
    except pd.errors.ParserWarning:
        raise UserError(
            "some rows have more cells than the header has names",
            where=str(file),
            cure="put texts that hold the separator into quotes, and see whether the first line is the header",
        ) from None
    except UnicodeDecodeError:
        raise UserError(
            "the table is no text of a kind that is known", where=str(file), cure="save it as CSV UTF-8"
        ) from None
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"the table cannot be read: {error}", where=str(file)) from None
    return rows, notes


def _of_text(file: Path, most: int | None) -> tuple[pd.DataFrame, list[str]]:
    text, notes = _text(file)
    separator = None
    if told := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):  # for Excel, which does not count this line
        separator, text = told[1], text[told.end() :]
    head = text.partition("\n")[0]
    separator = separator or max(",;\t", key=head.count)
    names, numbers = _lines(text, separator)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows that are longer than the header
        rows = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype="string",
            keep_default_na=False,  # an animal may be called NA
            na_values=[""],
            index_col=False,
            nrows=most,
        )
    rows = _once(rows, names, notes)
    for column in rows.columns:
        rows[column] = rows[column].str.replace(_GUARD, "", regex=True)
        known = rows[column].dropna()
        comma = separator != "," and known.str.fullmatch(r"[+-]?\d+(?:,\d+)?").all()
        if comma and known.str.contains(",", regex=False).any():
            rows[column] = rows[column].str.replace(",", ".", regex=False)
            notes.append(f"'{column}' has decimal commas")
    numbers = numbers[: len(rows)]
    return rows.assign(table_row=numbers if len(numbers) == len(rows) else range(2, len(rows) + 2)), notes


def _lines(text: str, separator: str) -> tuple[list[str], list[int]]:
    """The header's names, and the number of each row below it; lines without anything are counted as well."""
    names: list[str] = []
    numbers = []
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
        if not names:
            names = [name.strip() for name in cells]
        elif cells:
            numbers.append(number)
    return names, numbers


_GUARD = r"^'(?=[=+\-@\t\r])"
"""What programs, ours among them, write before a text so that a spreadsheet takes it for no formula."""


def _text(file: Path) -> tuple[str, list[str]]:
    content = file.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), []
    if b"\0" in content[:1000]:
        order = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        return content.decode(order), []
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        text = content.decode("cp1252")
        strange = next(cell for cell in re.split(r"[,;\t\r\n]", text) if not cell.isascii())
        return text, [f"not UTF-8, so read as Windows-1252, such as '{strange[:60]}'"]


def _once(rows: pd.DataFrame, names: list[str], notes: list[str]) -> pd.DataFrame:
    """Every column under its own name; one that is there twice is taken once where both say the same."""
    if len(names) != len(rows.columns):  # pandas knows better what a header is
        return rows.rename(columns=lambda name: str(name).strip())
    kept: dict[str, Any] = {}
    for at, name in enumerate(names):
        values = rows.iloc[:, at]
        name = name or str(rows.columns[at])
        if name not in kept:
            kept[name] = values
        elif kept[name].equals(values.rename(kept[name].name)):
            notes.append(f"'{name}' is there twice, with the same values")
        else:
            kept[f"{name}{AGAIN}"] = values
    return pd.DataFrame(kept)


def _decoded(rows: pd.DataFrame, file: Path) -> pd.DataFrame:
    """A Parquet file's columns; those of bytes as text."""
    rows = rows.rename(columns=lambda name: str(name).strip())
    for column in rows.columns:
        if rows[column].dtype == object and rows[column].map(lambda one: isinstance(one, bytes)).any():
            try:
                rows[column] = rows[column].map(lambda one: one.decode() if isinstance(one, bytes) else one)
            except UnicodeDecodeError:
                raise UserError(
                    f"the column '{column}' holds bytes that are no text",
                    where=str(file),
                    cure="leave it out, or write it as text",
                ) from None
    return rows
