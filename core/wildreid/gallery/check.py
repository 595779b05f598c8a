"""Whether a gallery is whole: each file as the manifest says, the journal unbroken, each image there once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from wildreid.errors import UserError
from wildreid.gallery import index, journal, segments, thumbnails
from wildreid.gallery.fold import GONE
from wildreid.gallery.state import State


@dataclass(frozen=True)
class Checked:
    """What `verify` found.

    Attributes:
        damage: what is wrong; empty for a gallery that is whole.
        notes: what is not as it could be and harms nothing, such as files that an interrupted writer left.
        digest: of what the gallery says; empty where it cannot be read.
        individuals: how many there are.
        images: how many annotations of them.
        changes: lines of the journal.
    """

    damage: tuple[str, ...]
    notes: tuple[str, ...]
    digest: str = ""
    individuals: int = 0
    images: int = 0
    changes: int = 0


def verify(folder: Path) -> Checked:
    """Read all of a gallery and compare every hash."""
    try:
        state = State.load(folder)
    except UserError as error:
        return Checked((str(error),), ())
    damage = [*_files(state), *_rows(state)]
    notes = []
    if strange := segments.strange(folder, state.manifest.segments):
        notes.append(f"{len(strange)} files of an interrupted change; the next change removes them")
    if (folder / journal.FILE).stat().st_size > state.manifest.journal.bytes:
        notes.append("a change that was interrupted is at the journal's end; the next one replaces it")
    if missing := thumbnails.missing(state):
        notes.append(f"{missing} images have no thumbnail")
    if index.stale(state):
        notes.append("the index is missing or old; `index=True` makes it again")
    return Checked(
        tuple(damage), tuple(notes), state.digest(), len(state.individuals), state.images, len(state.changes)
    )


def _files(state: State) -> list[str]:
    damage = []
    for segment in state.manifest.segments:
        for name, known in segments.files(segment).items():
            path = state.folder / segments.FOLDER / name
            if segments.hash_of(path) != known:
                damage.append(f"{path}: the file was altered; its hash is another")
    for said, rule in ((state.manifest.rule, state.rule), (state.manifest.fused, state.fused)):
        if json.dumps(asdict(said) if said else None) != json.dumps(asdict(rule) if rule else None):
            damage.append(f"{state.folder / 'gallery.json'}: its rule is not the journal's")
    return damage


def _rows(state: State) -> list[str]:
    damage = []
    there = np.flatnonzero(state.codes != GONE)
    twice = state.rows["key"].iloc[there].duplicated()
    if twice.any():
        damage.append(f"{int(twice.sum())} images are in the gallery twice")
    start = 0
    for segment, matrix in zip(state.manifest.segments, state.matrices, strict=True):
        for low in range(0, len(matrix), 65_536):
            with np.errstate(over="ignore", invalid="ignore"):  # of damaged numbers
                length = np.linalg.norm(matrix[low : low + 65_536], axis=1)
            if not np.allclose(length, 1, atol=1e-3):
                damage.append(f"segment {segment.name}: an embedding is not of unit length")
                break
        start += len(matrix)
    if start != len(state.rows):
        damage.append(f"there are {start} embeddings for {len(state.rows)} annotations")
    return damage
