"""Segments: the rows of a gallery on disk, annotations as Parquet and embeddings as a memory-mapped array."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.files import hash_of_file, reading, written
from wildreid.gallery import features
from wildreid.gallery.features import Points
from wildreid.gallery.manifest import Features, Segment

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

FOLDER = "segments"
SETTLED = 4096
"""A last segment with fewer rows is joined with the next, so that many small additions stay few files."""
HEAVY = 32 * 2**20
"""Unless its local features take so many bytes, which would be written again each time."""

_TEXT = ("key", "image", "identity", "camera", "viewpoint", "visit")
_FORMAT_1 = [
    *((name, pa.string()) for name in _TEXT),
    ("timestamp", pa.timestamp("us")),
    *((name, pa.float64()) for name in BOX),
    ("latitude", pa.float64()),
    ("longitude", pa.float64()),
    ("trained", pa.bool_()),
    ("change", pa.int64()),
]
_FORMAT_2 = [
    *((name, pa.string()) for name in ("station", "deployment", "event", "species", "sex", "life_stage")),
    *((name, pa.string()) for name in ("media", "method", "decided_by")),
    *((name, pa.float64()) for name in ("utc_offset", "detector_confidence", "probability")),
    ("decided_at", pa.timestamp("us", tz="UTC")),
    ("private", pa.bool_()),
]
SINCE_2 = tuple(name for name, _ in _FORMAT_2)
"""The columns that a gallery of format 1 does not have; they are read as missing there."""
COLUMNS = pa.schema([*_FORMAT_1, *_FORMAT_2])
"""Columns of the annotations, as `wildreid.data.table.Table` explains them, and of a gallery's own: ``key``:
content hash, and the box where there is one; ``visit``: camera and date, which with an individual are an
encounter; ``trained``: the model has learned from this image; ``change``: the number of the change that
added the row."""


def as_arrow(annotations: pd.DataFrame) -> pa.Table:
    """The annotations with exactly the columns of a segment; what is not there is missing."""
    trained = annotations["trained"].astype(bool) if "trained" in annotations else False
    rows = annotations[[name for name in COLUMNS.names if name in annotations]].assign(trained=trained)
    said = pa.schema([COLUMNS.field(name) for name in rows])
    table = pa.Table.from_pandas(rows, schema=said, preserve_index=False)
    columns = [table[one.name] if one.name in rows else pa.nulls(len(rows), one.type) for one in COLUMNS]
    return pa.Table.from_arrays(columns, schema=COLUMNS)


BLOCK = 65_536
"""Embeddings that are copied at once."""


def as_rows(parts: Sequence[pa.Table]) -> pd.DataFrame:
    """The annotations of some segments, one after the other."""
    table = pa.concat_tables(parts) if parts else COLUMNS.empty_table()
    rows: pd.DataFrame = table.to_pandas(strings_to_categorical=False)
    return rows


def settled(segment: Segment) -> bool:
    """Whether a last segment stays as it is when rows are added."""
    return segment.rows >= SETTLED or sum(one.record * segment.rows for one in segment.features) >= HEAVY


def lasting(known: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Those that will never be joined with later ones."""
    return known[:-1] if known and not settled(known[-1]) else known


def blocks(embeddings: Floats, rows: Ints) -> Iterator[Floats]:
    """These rows of the embeddings, a block at a time, so that no second copy of all of them is made."""
    for start in range(0, len(rows), BLOCK):
        yield embeddings[rows[start : start + BLOCK]]


def write(
    folder: Path,
    name: str,
    annotations: pa.Table,
    embeddings: Iterable[Floats],
    width: int,
    points: Sequence[Points] = (),
) -> Segment:
    """Write one segment; it is not part of the gallery until a manifest names it.

    Args:
        folder: the gallery's.
        name: of the segment.
        annotations: its rows.
        embeddings: theirs, in blocks of (rows, width).
        width: numbers in each.
        points: their local features, by matcher.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / name
    with written(path.with_suffix(".parquet")) as file:
        pq.write_table(annotations, file)
    with written(path.with_suffix(".npy")) as file:
        shape = (len(annotations), width)
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for block in embeddings:
            file.write(np.ascontiguousarray(block, "<f4").data)
    return Segment(
        name=name,
        rows=len(annotations),
        annotations=hash_of(path.with_suffix(".parquet")),
        embeddings=hash_of(path.with_suffix(".npy")),
        features=tuple(write_points(folder, name, one) for one in points),
    )


def write_points(folder: Path, name: str, points: Points) -> Features:
    """Write the local features of a segment's rows; they are not part of it until a manifest names them."""
    name = f"{name}-{points.matcher}"
    path = folder / FOLDER / f"{name}{features.SUFFIX}"
    with written(path) as file:
        features.write(file, points)
    return Features(
        name=name, matcher=points.matcher, fingerprint=points.fingerprint, record=points.record,
        points=hash_of(path),
    )  # fmt: skip


def read_annotations(folder: Path, segment: Segment) -> pa.Table:
    """The annotations of one segment.

    Raises:
        FileNotFoundError: they are not there, or no longer.
        UserError: they are not what the manifest says.
    """
    path = (folder / FOLDER / segment.name).with_suffix(".parquet")
    with reading(path, cure=_CURE, missing=False):
        rows = pq.read_table(path, schema=COLUMNS, memory_map=True)
    if len(rows) != segment.rows:
        raise UserError(
            f"it has {len(rows)} rows, gallery.json says {segment.rows}", where=str(path), cure=_CURE
        )
    return rows


def read_embeddings(folder: Path, segment: Segment, width: int) -> Floats:
    """The embeddings of one segment, (rows, width), mapped into memory and not read yet.

    Raises:
        FileNotFoundError: they are not there, or no longer.
        UserError: they are not what the manifest says.
    """
    path = (folder / FOLDER / segment.name).with_suffix(".npy")
    if segment.rows == 0:
        return np.zeros((0, width), np.float32)
    with reading(path, cure=_CURE, missing=False):
        embeddings: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
        if not embeddings.flags.c_contiguous:
            raise ValueError("its numbers are not stored row by row")
    if embeddings.shape != (segment.rows, width) or embeddings.dtype != np.float32:
        raise UserError(
            f"it holds {embeddings.dtype} {embeddings.shape}, not float32 {(segment.rows, width)}",
            where=str(path),
            cure=_CURE,
        )
    return embeddings


def read_points(folder: Path, segment: Segment) -> tuple[Points, ...]:
    """The local features of one segment, mapped into memory; see `features.read`."""
    files = [folder / FOLDER / f"{one.name}{features.SUFFIX}" for one in segment.features]
    return tuple(
        features.read(path, one, segment.rows) for path, one in zip(files, segment.features, strict=True)
    )


def files(segment: Segment) -> dict[str, str]:
    """The hash of each file of a segment, by its name."""
    found = {f"{segment.name}.parquet": segment.annotations, f"{segment.name}.npy": segment.embeddings}
    return found | {f"{one.name}{features.SUFFIX}": one.points for one in segment.features}


def strange(folder: Path, known: Iterable[Segment]) -> list[Path]:
    """Files of segments that are no longer, or were never, part of the gallery."""
    keep = {name for segment in known for name in files(segment)}
    return [path for path in sorted((folder / FOLDER).glob("*")) if path.name not in keep]


def remove(folder: Path, keep: Iterable[Segment]) -> None:
    """Delete the files that are of none of these segments."""
    for path in strange(folder, keep):
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            continue  # a reader on Windows still has it open; the next writer tries again


def hash_of(path: Path) -> str:
    """The hash of a file of a segment."""
    return hash_of_file(path, lambda: hashlib.blake2b(digest_size=16))


_CURE = "take this file from a backup, or make the gallery again"
