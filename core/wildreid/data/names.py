"""Names of animals and cameras as people write them: blanks, accents, numbers, and words for unknown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd

from wildreid.errors import UserError

NAMED = ("identity", "camera", "viewpoint")
"""Columns whose values are names."""

ASKED = ("identity", "camera")
"""Columns in which a word for unknown may be a name all the same, so that one has to ask."""

_WORDS = """
na n/a n.a. #n/a <na> nan nil none null unknown unkn unk unidentified unidentifiable unid undetermined indet indet.
not_identified not_known no_id noid no_name unnamed anonymous misc _misc various others tbd
x xx xxx
unbekannt inconnu inconnue desconocido desconocida sconosciuto onbekend desconhecido
"""
UNKNOWN = frozenset(_WORDS.split())
"""Words by which people say that they do not know, and so do signs alone; without case, `_` for a blank."""


def plain(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Names in one form, and what one should know of them, in sentences.

    Blanks at the ends and what steers a terminal go, an accent and its letter are one character (Unicode's form
    NFC), and a whole number that a program wrote as 7.0 is 7; 007 stays 007. Names that still differ by case,
    accents, blanks or leading zeros alone stay as they are, and are reported with both spellings.
    """
    rows, notes = rows.copy(), []
    for column in NAMED:
        if column not in rows or rows[column].isna().all():
            continue
        before = rows[column].astype("string")
        distinct = before.dropna().unique()
        names = {name: _plain(name) for name in distinct}
        after = before.map(names).astype("string")
        rows[column] = after.mask(after == "")
        trimmed = {name for name in distinct if name != name.strip()}
        floats = {name for name in distinct if _FLOAT.fullmatch(name.strip())}
        composed = {name for name in distinct if not unicodedata.is_normalized("NFC", name)}
        for written, what in (
            (trimmed, "blanks at the ends are left out"),
            (floats, "7.0 is read as 7"),
            ({name for name in distinct if _CONTROL.search(name)}, "what steers a terminal is left out"),
            (composed, "an accent apart from its letter is read as one with it"),
        ):
            if written:
                rows_of = _many(int(before.isin(written).sum()), "row")
                notes.append(f"'{column}': {what}, such as of {min(written)!r} ({rows_of})")
        if alike := variants(after.dropna()):
            more = f"; and {len(alike) - 5} more" if len(alike) > 5 else ""
            notes.append(f"'{column}': is this one name? {'; '.join(alike[:5])}{more}")
    return rows, notes


def variants(names: Iterable[str]) -> list[str]:
    """Names that differ by case, accents, blanks or leading zeros alone, as ``'Ada' (6) and 'ada' (2)``."""
    counts = pd.Series(list(names), dtype="object").value_counts()
    spellings: dict[str, list[str]] = {}
    for name in counts.index:
        spellings.setdefault(spelling(name), []).append(name)
    return [
        " and ".join(f"'{name}' ({counts[name]})" for name in own)
        for own in spellings.values()
        if len(own) > 1
    ]


def spelling(name: str) -> str:
    """What names that a reader may take for one have in common: no case, accents, kind of blank or sign, zeros."""
    letters = unicodedata.normalize("NFKD", _plain(name).casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = re.sub(r"[\W_]+", " ", letters).strip()
    return (words.lstrip("0") or "0") if words.isdecimal() else words or name


def settled(
    rows: pd.DataFrame, unknown: Sequence[str] | None, *, where: str = "", ask: bool = True
) -> tuple[pd.DataFrame, list[str]]:
    """Rows in which what means unknown is missing, and notes on that.

    In a column of names a word such as NA may be a name, so one must say; in other columns it can only mean
    that nothing is known.

    Args:
        rows: with columns of ours, texts as they came.
        unknown: the words that mean so; an empty list: none does, they are names; None: nobody has said.
        where: for messages.
        ask: refuse words that nobody has spoken of; else they are taken to mean unknown.

    Raises:
        UserError: a name that may mean unknown, and nobody has said.
    """
    rows, notes = rows.copy(), []
    said = None if unknown is None else {_word(word) for word in unknown if word.strip()}
    asked: dict[str, dict[str, int]] = {}
    for column in (name for name in (*NAMED, *_TYPED) if name in rows):
        texts = rows[column]
        distinct = [text for text in texts.dropna().unique() if isinstance(text, str)]
        count = {
            text: int((texts == text).sum())
            for text in distinct
            if _unknown(text) or (said and _word(text) in said)
        }
        words = doubtful(distinct)
        if column not in ASKED or (said is None and not ask):
            meant = words | {text for text in count if _word(text) in (said or ())}
        elif said is None:
            meant = set()
            if words:
                asked[column] = {text: count[text] for text in sorted(words)}
        else:
            meant = {text for text in count if _word(text) in said}
            notes += [f"'{column}': '{text.strip()}' is a name" for text in sorted(words - meant)]
        if meant:
            rows[column] = texts.mask(texts.isin(meant))
            told = ", ".join(f"{count[text]} × '{text.strip()}'" for text in sorted(meant))
            notes.append(f"'{column}': {told}: not known")
    if asked:
        listed = "; ".join(
            f"'{column}' says "
            + ", ".join(f"'{text.strip()}' ({_many(n, 'row')})" for text, n in own.items())
            for column, own in asked.items()
        )
        every = sorted({text.strip() for own in asked.values() for text in own})
        raise UserError(
            f"{listed}: is that a name, or does it mean that nobody knows?",
            where=where,
            cure=f"say which words mean so: unknown: [{', '.join(map(_quoted, every))}], "
            "or unknown: [] if these are names",
        )
    return rows, notes


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FLOAT, _DIGIT = re.compile(r"\d+\.0+"), re.compile(r"[0-9]")
_TYPED = ("timestamp", "time", "part", "box_left", "box_top", "box_width", "box_height", "utc_offset")
"""Further columns of ours in which a word for unknown is no value."""


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFC", _CONTROL.sub("", name)).strip()
    return text.partition(".")[0] if _FLOAT.fullmatch(text) else text


def _word(text: str) -> str:
    return re.sub(r"[\s_]+", "_", text.strip()).casefold()


def _unknown(name: str) -> bool:
    if _DIGIT.search(name):  # as in every date, of which there may be millions
        return False
    word = _word(name)
    return word in UNKNOWN or (word != "" and not any(letter.isalnum() for letter in word) and word.isascii())


def doubtful(names: Sequence[str]) -> set[str]:
    """Those that are words for unknown; one letter is one only where other names are longer."""
    words = {name for name in names if _unknown(name)}
    letters = all(len(name.strip()) == 1 for name in names)
    return {name for name in words if not (letters and name.strip().isalpha())}


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[A-Za-z][\w ]*", word) and word.lower() not in _YAML else f"'{word}'"


_YAML = ("null", "none", "true", "false", "yes", "no")


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
