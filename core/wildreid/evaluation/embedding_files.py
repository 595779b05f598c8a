"""Files of embeddings: numpy, Parquet, and folders of shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.evaluation.embeddings import Given

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats

NAMES = ("ids", "id", "image", "images", "path", "paths", "filename", "names")
"""What the ids are called that stand beside embeddings."""


def read_embeddings(
    source: str | Path | NDArray[Any], *, ids: Sequence[str] | str | Path | None = None
) -> Given:
    """Read embeddings: an array, or a file or folder of them.

    A ``.npy`` holds (N, width) numbers; the file ``ids.txt`` beside it, where there is one, holds N lines. An
    ``.npz`` holds one such array, and its ids as another. A ``.parquet`` has one column of lists, or one column
    of numbers for each place of an embedding, and one of ids. A folder holds shards of one of these forms, which
    follow one another in the order of their names.

    Args:
        source: any of these.
        ids: what each embedding is of, in their order: texts, or a file with one on each line.

    Raises:
        UserError: no such file; it does not hold embeddings; another number of ids than of embeddings; an id
            twice.
    """
    if isinstance(source, (str, Path)):
        given = _read(Path(source))
    else:
        given = Given(_matrix(np.asarray(source), "the array"), None, "an array")
    if ids is not None:
        given = replace(
            given, ids=_lines(Path(ids)) if isinstance(ids, (str, Path)) else tuple(map(str, ids))
        )
    return given


def _read(path: Path) -> Given:
    if path.is_dir():
        shards = sorted(file for file in path.iterdir() if file.suffix.lower() in READERS)
        if not shards:
            raise UserError(
                "there are no embeddings here", where=str(path), cure="put .npy, .npz or .parquet"
            )
        parts = [_read(shard) for shard in shards]
        widths = {part.vectors.shape[1] for part in parts}
        if len(widths) > 1:
            raise UserError(f"the shards are {' and '.join(map(str, sorted(widths)))} wide", where=str(path))
        named = [part.ids for part in parts if part.ids is not None]
        together = np.concatenate([part.vectors for part in parts])
        if (path / "ids.txt").is_file():
            return Given(together, _lines(path / "ids.txt"), str(path))
        if named and len(named) < len(parts):
            raise UserError("some shards have ids and others none", where=str(path))
        return Given(together, tuple(one for ids in named for one in ids) if named else None, str(path))
    if not path.is_file():
        raise UserError("there is no such file of embeddings", where=str(path))
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(
            f"embeddings are not read from '{path.suffix}' files",
            where=str(path),
            cure="save them as .npy, .npz or .parquet",
        )
    try:
        return reader(path)
    except (OSError, ValueError, KeyError, EOFError, ImportError) as error:
        raise UserError(
            f"not readable as embeddings: {str(error).splitlines()[0]}", where=str(path)
        ) from None


def _read_npy(path: Path) -> Given:
    beside = path.with_name("ids.txt")
    alone = len([*path.parent.glob("*.npy")]) == 1  # in a folder of shards it is the ids of them all
    ids = _lines(beside) if alone and beside.is_file() else None
    return Given(_matrix(np.load(path, mmap_mode="r", allow_pickle=False), str(path)), ids, str(path))


def _read_npz(path: Path) -> Given:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    flat = {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiu"}
    texts = {name: array for name, array in arrays.items() if array.ndim == 1 and array.dtype.kind in "US"}
    if len(flat) != 1:
        raise ValueError(f"it holds {len(flat)} arrays of (N, width) numbers, not one: {', '.join(arrays)}")
    name = next((one for one in NAMES if one in texts), None)
    if name is None and len(texts) == 1:
        (name,) = texts
    ids = None if name is None else tuple(texts[name].astype(str).tolist())
    (vectors,) = flat.values()
    return Given(_matrix(vectors, str(path)), ids, str(path))


def _read_parquet(path: Path) -> Given:
    frame = pd.read_parquet(path)
    frame.columns = frame.columns.astype(str)
    lists = [
        name for name in frame if len(frame) and isinstance(frame[name].iloc[0], (np.ndarray, list, tuple))
    ]
    texts = [
        name
        for name, kind in frame.dtypes.items()
        if name not in lists and (name in NAMES or not pd.api.types.is_numeric_dtype(kind))
    ]
    if len(lists) == 1:
        if frame[lists[0]].map(len).nunique() != 1:
            raise ValueError("its lists are not of one length")
        vectors = np.stack([np.asarray(one, np.float32) for one in frame[lists[0]]])
    elif not lists:
        vectors = frame.drop(columns=texts).to_numpy(np.float32)
    else:
        raise ValueError(f"it has {len(lists)} columns of lists, not one: {', '.join(map(str, lists))}")
    name = next((one for one in NAMES if one in texts), texts[0] if len(texts) == 1 else None)
    ids = None if name is None else tuple(frame[name].astype(str))
    return Given(_matrix(vectors, str(path)), ids, str(path))


def _matrix(array: NDArray[Any], where: str) -> Floats:
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.shape[1]:
        raise UserError(
            f"embeddings are (N, width) numbers, and this is {array.dtype} {array.shape}", where=where
        )
    matrix: Floats = array if array.dtype == np.float32 else array.astype(np.float32)
    return matrix


def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the ids cannot be read: {error}", where=str(path)) from None


READERS = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}
