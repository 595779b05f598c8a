"""What may be added to a gallery: this model's embeddings, of named individuals, once each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.data.names import spelling
from wildreid.errors import UserError
from wildreid.gallery.manifest import Mark, Matching
from wildreid.gallery.state import State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints
    from wildreid.data.origin import Failure
    from wildreid.gallery.features import Points


@dataclass(frozen=True)
class Left:
    """An annotation that was not added, and why."""

    image: str
    reason: str

    @classmethod
    def of(cls, failure: Failure) -> Left:
        """A row or image that could not even be looked at."""
        return cls(failure.image or f"row {failure.row}", failure.reason)


@dataclass(frozen=True)
class Added:
    """What `Gallery.add` did: rows in are `rows` and `left` together.

    Attributes:
        rows: annotations added.
        individuals: how many individuals they show.
        left: those that were not added.
        near: pairs of names, the gallery's and new ones, that a reader may take for one; two animals now.
        notes: what one should know of those that were added, in sentences.
    """

    rows: int
    individuals: int
    left: tuple[Left, ...]
    near: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joined:
    """What joining two galleries did.

    Attributes:
        added: rows that were added, and those that were not.
        shared: names that both galleries knew: taken for one animal.
        near: pairs of names, ours and theirs, that differ by case, accents or blanks alone; two animals now.
    """

    added: Added
    shared: tuple[str, ...]
    near: tuple[tuple[str, str], ...]


def pairs_of_names(ours: Iterable[str], theirs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names, ours and theirs, that are not the same and yet a reader may take for one."""
    plain: dict[str, list[str]] = {}
    for name in ours:
        plain.setdefault(spelling(name), []).append(name)
    for name in theirs:
        for one in plain.get(spelling(name), ()):
            if one != name:
                yield one, name


def check_mark(own: Mark, other: Mark, folder: Path) -> None:
    """Refuse embeddings that cannot be compared with a gallery's own.

    Raises:
        UserError: another model's weights, or another way from image to input.
    """
    if other.weights != own.weights or other.width != own.width:
        raise UserError(
            f"these embeddings are of another model ('{other.name}') than the gallery's ('{own.name}')",
            where=str(folder),
            cure="use the gallery's own model, or make a new gallery with: reid gallery create",
        )
    if other.transform != own.transform:
        raise UserError(
            "the way from image to network input has changed since the gallery was made",
            where=str(folder),
            cure="bring the image settings back, or make a new gallery with: reid gallery create",
        )


def no_name(name: str) -> str:
    """Why a text is no name for an individual, since it cannot be shown or typed; empty where it is one."""
    good = name.strip() and name.isprintable() and name == name.strip()
    return (
        ""
        if good
        else f"{name!r} is no name for an individual: use printable text, without blanks at its ends"
    )


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown or typed.

    Raises:
        UserError: it is such a name.
    """
    if wrong := no_name(name):
        raise UserError(wrong)


def check_embeddings(embeddings: Floats, rows: int, width: int) -> None:
    """Refuse embeddings of another shape or length than (rows, width) and 1."""
    if embeddings.shape != (rows, width):
        raise UserError(f"the embeddings are {embeddings.shape}, not {(rows, width)}")
    for start in range(0, rows, 65_536):
        length = np.linalg.norm(embeddings[start : start + 65_536], axis=1)
        if not np.allclose(length, 1, atol=1e-3):  # NaN is not close to 1 either
            bad = start + int(np.argmax(~np.isclose(length, 1, atol=1e-3)))
            raise UserError("an embedding is not of unit length", where=f"row {bad + 1}")


def check_points(points: Sequence[Points], rows: int, matching: Matching | None) -> None:
    """Refuse local features of other matchers than the gallery's, or of more or fewer rows."""
    known = matching.known if matching else {}
    for one in points:
        if known.get(one.matcher) != one.fingerprint:
            raise UserError(
                f"these local features are of another matcher ('{one.matcher}') than the gallery's "
                f"({' and '.join(known) or 'it has none'})",
                cure="use the gallery's own matchers, or none",
            )
        if len(one) != rows:
            raise UserError(f"there are local features of {len(one)} rows for {rows}")


def sort_out(annotations: pd.DataFrame, state: State) -> tuple[Ints, tuple[Left, ...]]:
    """The positions of rows to add, and the others with the reason."""
    keep: list[int] = []
    left: list[Left] = []
    new: dict[str, str] = {}
    images = annotations["image"] if "image" in annotations else annotations["key"]
    for at, (key, who, image) in enumerate(
        zip(annotations["key"], annotations["identity"], images, strict=True)
    ):
        if pd.isna(who) or not str(who).strip():
            left.append(Left(str(image), "it has no identity; ask reid identify, or reid discover"))
            continue
        if wrong := no_name(str(who)):
            left.append(Left(str(image), wrong))
            continue
        row = state.row_of.get(key)
        known = new.get(key) if row is None else state.individuals[state.codes[row]]
        if known is None:
            new[key] = str(who)
            keep.append(at)
        elif known == who:
            left.append(Left(str(image), "it is in the gallery already"))
        else:
            left.append(
                Left(str(image), f"it is in the gallery already, as '{known}'; see reid gallery split")
            )
    return np.array(keep, np.int64), tuple(left)


def own_rows(state: State, individual: str, keys: Sequence[str]) -> Ints:
    """The rows of these images, all of one individual; a UserError where one is not."""
    own = state.rows_of(individual)
    if not keys:
        raise UserError("no image is named", cure="reid gallery show lists an individual's images")
    rows = np.array([state.row_of.get(key, -1) for key in set(keys)], np.int64)
    if not np.isin(rows, own).all():
        strange = next(key for key in keys if state.row_of.get(key, -1) not in set(own.tolist()))
        raise UserError(f"'{individual}' has no image {strange}", cure="reid gallery show lists its images")
    return rows
