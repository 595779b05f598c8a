"""What may be added to a gallery: this model's embeddings, of named individuals, once each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.gallery.manifest import Mark
from wildreid.gallery.state import State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints


@dataclass(frozen=True)
class Left:
    """An annotation that was not added, and why."""

    image: str
    reason: str


@dataclass(frozen=True)
class Added:
    """What `Gallery.add` did: rows in are `rows` and `left` together.

    Attributes:
        rows: annotations added.
        individuals: how many individuals they show.
        left: those that were not added.
    """

    rows: int
    individuals: int
    left: tuple[Left, ...]


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


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown or typed."""
    if not name.strip() or not name.isprintable() or name != name.strip():
        raise UserError(
            f"{name!r} is no name for an individual", cure="use printable text, without blanks at its ends"
        )


def check_embeddings(embeddings: Floats, rows: int, width: int) -> None:
    """Refuse embeddings of another shape or length than (rows, width) and 1."""
    if embeddings.shape != (rows, width):
        raise UserError(f"the embeddings are {embeddings.shape}, not {(rows, width)}")
    for start in range(0, rows, 65_536):
        length = np.linalg.norm(embeddings[start : start + 65_536], axis=1)
        if not np.allclose(length, 1, atol=1e-3):  # NaN is not close to 1 either
            bad = start + int(np.argmax(~np.isclose(length, 1, atol=1e-3)))
            raise UserError("an embedding is not of unit length", where=f"row {bad + 1}")


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
        check_name(str(who))
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
