"""Somebody's JSON and CSV as they are: texts, and the words by which a source says nothing."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.errors import UserError


def said(values: pd.Series[Any], *missing: str) -> pd.Series[Any]:
    """Texts without blanks at their ends, missing where nothing is said.

    Args:
        values: of any type.
        missing: the words by which this source says nothing, such as ``None``; an animal may be called NA,
            so they are never the same for all sources.
    """
    texts = values.astype("string").str.strip()
    return texts.mask(texts.isin(["", *missing]))


def _unread(file: Path, error: FileNotFoundError | UnicodeDecodeError) -> UserError:
    if isinstance(error, FileNotFoundError):
        return UserError("there is no such file", where=str(file))
    return UserError(f"the file is not UTF-8: byte {error.start + 1}", where=str(file), cure=_UTF8)


def read_json(file: Path) -> Any:
    """The content of a JSON file in UTF-8.

    Raises:
        UserError: it is not there, not UTF-8, or not JSON (with line and column).
    """
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise _unread(file, error) from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"the file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}", where=str(file)
        ) from None
    except (OSError, RecursionError, ValueError) as error:
        raise UserError(f"the file cannot be read: {error}", where=str(file)) from None


def read_texts(
    file: Path, *, required: Sequence[str] = (), missing: Sequence[str] = (), archive: Path | None = None
) -> pd.DataFrame:
    """A CSV file with all its columns as text.

    Args:
        file: UTF-8, comma-separated, with a head; ``.gz`` may be.
        required: columns that must be there.
        missing: words that mean nothing in this source, besides the empty one.
        archive: a ZIP file that holds `file`; None: it lies in a folder.

    Raises:
        UserError: it is not there, not UTF-8, no table, or lacks a column.
    """
    try:
        where = file if archive is None else io.BytesIO(zipfile.ZipFile(archive).read(str(file)))
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # lines that are longer than the head
            rows = pd.read_csv(
                where,
                dtype="string",
                encoding="utf-8-sig",
                index_col=False,
                keep_default_na=False,
                na_values=["", *missing],
            )
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise _unread(file, error) from None
    except _NO_TABLE as error:
        raise UserError(f"the table cannot be read: {error}", where=str(file)) from None
    lacking = [name for name in required if name not in rows]
    if lacking:
        raise UserError(
            f"the table has no column {' and no column '.join(map(repr, lacking))}; it has "
            f"{', '.join(map(str, rows.columns))}",
            where=str(file),
            cure="export it again with these columns",
        )
    return rows


_UTF8 = "export it again as UTF-8"
_NO_TABLE = (
    OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, pd.errors.ParserError,
    pd.errors.ParserWarning,
)  # fmt: skip
