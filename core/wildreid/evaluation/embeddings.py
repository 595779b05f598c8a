"""Embeddings that came from elsewhere: checked, scaled to unit length, and put in the order of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.errors import UserError

if TYPE_CHECKING:
    from wildreid.artefacts import Floats
    from wildreid.data.table import Table

UNIT = 1e-3
"""How far from 1 the length of an embedding may be."""
BLOCK = 65_536


@dataclass(frozen=True)
class Given:
    """Embeddings, and what each is of where they say it.

    Attributes:
        vectors: (N, width) float32.
        ids: N texts; None where only the order tells.
        source: where they are from, in words.
    """

    vectors: Floats
    ids: tuple[str, ...] | None
    source: str

    def __post_init__(self) -> None:
        """Refuse ids that are not one for each.

        Raises:
            UserError: another number of ids than of embeddings; an id twice.
        """
        if self.ids is None:
            return
        if len(self.ids) != len(self.vectors):
            raise UserError(
                f"there are {len(self.ids)} ids for {len(self.vectors)} embeddings",
                where=self.source,
                cure="give one id for each embedding, in their order",
            )
        twice = pd.Series(self.ids).duplicated()
        if twice.any():
            raise UserError(
                f"the id {self.ids[int(twice.to_numpy().argmax())]!r} is there twice",
                where=self.source,
                cure="keep one embedding for each annotation",
            )

    @property
    def digest(self) -> str:
        """A hash of all numbers."""
        found = hashlib.blake2b(str(self.vectors.shape).encode(), digest_size=16)
        for start in range(0, len(self.vectors), BLOCK):
            found.update(np.ascontiguousarray(self.vectors[start : start + BLOCK]).data)
        return found.hexdigest()


def unit_length(vectors: Floats, *, what: str = "embedding") -> tuple[Floats, int]:
    """The vectors at length one, and how many of them had another length.

    Raises:
        UserError: one that is not finite, or is all zeros and so has no direction.
    """
    length = np.concatenate(
        [
            np.linalg.norm(np.asarray(vectors[start : start + BLOCK], np.float64), axis=1)
            for start in range(0, len(vectors), BLOCK)
        ]
        or [np.zeros(0)]
    )
    for bad, problem in ((~np.isfinite(length), "is not finite"), (length == 0, "is all zeros")):
        if bad.any():
            raise UserError(
                f"{int(bad.sum())} of {len(length)} embeddings cannot be compared: the {what} of row "
                f"{int(bad.argmax()) + 1} {problem}",
                cure="leave these rows out of the embeddings and of the table, or embed them again",
            )
    other = int((np.abs(length - 1) > UNIT).sum())
    if not other:
        return vectors, 0
    return (vectors / length[:, np.newaxis]).astype(np.float32), other


def check_unit_length(vectors: Floats) -> None:
    """Refuse vectors whose length is not one (or zero, which is like nothing), as cosines need it.

    Raises:
        UserError: another length.
    """
    for start in range(0, len(vectors), BLOCK):
        some = vectors[start : start + BLOCK]
        square = np.einsum("ij,ij->i", some, some)
        wrong = (np.abs(square - 1) > 2 * UNIT) & (square > 0)
        if wrong.any():
            at = int(wrong.argmax())
            raise UserError(
                f"the embeddings are not of unit length: one has length {float(square[at]) ** 0.5:.4g}",
                cure="divide each by its length, or give them to wildreid.evaluate_embeddings, which does",
            )


def in_order(
    given: Given, rows: pd.DataFrame, *, column: str | None = None, places: Sequence[int] | None = None
) -> tuple[Floats, str]:
    """The embeddings in the order of a table's rows, and by what they were matched, in words.

    Args:
        given: the embeddings.
        rows: the table's rows.
        column: whose texts are their ids; None: the first of ``id``, ``given_id`` (an ``id`` that the data set
            brought), ``image``, or another column of texts, that names all rows' embeddings once.
        places: without ids, the place of each row among the embeddings.

    Raises:
        UserError: no column fits; an embedding that no row is of, a row that has none; without ids, another
            number of embeddings than of rows.
    """
    if given.ids is None:
        total = len(rows) if places is None else max(len(rows), *(place + 1 for place in places), 0)
        if len(given.vectors) != total or (places is not None and len(places) != len(rows)):
            raise UserError(
                f"there are {len(given.vectors)} embeddings for {total} rows of the table",
                where=given.source,
                cure="give the embeddings of this very table, or their ids",
            )
        return (
            given.vectors if places is None else given.vectors[np.asarray(places, np.int64)]
        ), "their order"
    known = pd.Index(given.ids)
    candidates = [column] if column else _texts(rows)
    best, most = "", -1
    for name in candidates:
        if name not in rows:
            raise UserError(
                f"the table has no column '{name}'; it has {', '.join(map(str, rows.columns))}",
                where="the column of ids",
            )
        place = known.get_indexer(pd.Index(rows[name].astype("string").fillna("")))
        found = int((place >= 0).sum())
        if found == len(rows) == len(known) and len(np.unique(place)) == len(rows):
            return given.vectors[place], f"the column '{name}'"
        if found > most:
            best, most = name, found
    raise _no_match(given, rows, best)


def match_embeddings(
    embeddings: Floats, ids: Sequence[str], table: Table, *, column: str | None = None
) -> Floats:
    """(rows, width) embeddings of unit length in the order of a table, such as `split` gave back sorted.

    Args:
        embeddings: (N, width), of any length but zero.
        ids: what each is of.
        table: whose rows they are.
        column: as for `in_order`.

    Raises:
        UserError: they are of another table, or cannot be compared.
    """
    return unit_length(
        in_order(Given(embeddings, tuple(map(str, ids)), "the embeddings"), table.rows, column=column)[0]
    )[0]


def _no_match(given: Given, rows: pd.DataFrame, column: str) -> UserError:
    assert given.ids is not None
    names = rows[column].astype("string").fillna("")
    without = names[~names.isin(given.ids)]
    spare = [name for name in given.ids if name not in set(names)]
    twice = names[names.duplicated()]
    told = [
        *([f"{len(without)} rows have no embedding, such as {without.iloc[0]!r}"] if len(without) else []),
        *([f"{len(spare)} embeddings have no row, such as {spare[0]!r}"] if spare else []),
        *([f"{len(twice)} rows share an embedding, such as {twice.iloc[0]!r}"] if len(twice) else []),
    ]
    return UserError(
        f"the embeddings are of another table: by the column '{column}', which fits best, {'; '.join(told)}",
        where=given.source,
        cure="give the table that was embedded, or name the column that holds the ids",
    )


def _texts(rows: pd.DataFrame) -> list[str]:
    """The columns that may hold ids, the likeliest first; ids may also be whole numbers."""
    first = [name for name in ("id", "given_id", "image") if name in rows]
    others = [
        str(name)
        for name, kind in rows.dtypes.items()
        if name not in first
        and (
            pd.api.types.is_string_dtype(kind)
            or pd.api.types.is_object_dtype(kind)
            or pd.api.types.is_integer_dtype(kind)
        )
    ]
    return first + others
