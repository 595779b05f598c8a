"""Local features of a gallery's rows: heads that say whose they are, and behind them one record a row, mapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from wildreid.errors import UserError
from wildreid.files import reading

if TYPE_CHECKING:
    from wildreid.artefacts import Ints
    from wildreid.gallery.manifest import Features

HEAD = np.dtype([("key", "u1", 16), ("change", "<i8"), ("count", "<i4"), ("place", "<f4", 4)])
"""What stands before the records: ``key``: hash of all that the features depend on, 0 where a row has none;
``change``: the number of the change that brought them; ``count``: how many points there are; ``place``: where the
square that the matcher looked at lies in the row's picture: left and top, width and height of one of its pixels,
each as a share of the picture's."""
SUFFIX = ".points.npy"
TOGETHER = 1024
"""Records that are in memory at once while a file is written."""
CURE = "take this file from a backup, or make it again: reid gallery features"


@dataclass(frozen=True)
class Points:
    """Local features of some rows by one matcher, wherever they lie.

    Attributes:
        matcher: its name.
        fingerprint: all that decides its features beside the photo.
        record: bytes that the features of one row take.
        heads: (rows,) of `HEAD`.
        take: from positions among the rows to (n, record) uint8; 0 where a row has no features.
    """

    matcher: str
    fingerprint: str
    record: int
    heads: NDArray[Any]
    take: Callable[[Ints], NDArray[np.uint8]]

    def __len__(self) -> int:
        return len(self.heads)

    @property
    def there(self) -> NDArray[np.bool_]:
        """(rows,) whether a row has features, be it that no point was found."""
        return np.asarray(self.heads["key"].any(axis=1))

    def select(self, rows: Ints) -> Points:
        """These rows alone, in this order; -1 stands for one without features."""
        known = rows >= 0
        heads = np.zeros(len(rows), HEAD)
        heads[known] = self.heads[rows[known]]

        def take(positions: Ints) -> NDArray[np.uint8]:
            wanted = rows[positions]
            out = np.zeros((len(wanted), self.record), np.uint8)
            out[wanted >= 0] = self.take(wanted[wanted >= 0])
            return out

        return replace(self, heads=heads, take=take)

    def of_change(self, number: int) -> Points:
        """The same, as brought by this change."""
        heads = self.heads.copy()
        heads["change"] = number
        return replace(self, heads=heads)

    def without(self, gone: NDArray[np.bool_]) -> Points:
        """The same, except for rows that have no features."""
        kept = np.arange(len(self))
        kept[gone] = -1
        return self.select(kept)

    def filled(self, other: Points) -> Points:
        """The same, and where a row has no features those that it has in `other`."""
        new = ~self.there & other.there
        heads = np.where(new, other.heads, self.heads)

        def take(positions: Ints) -> NDArray[np.uint8]:
            out = self.take(positions)
            out[new[positions]] = other.take(positions[new[positions]])
            return out

        return replace(self, heads=heads, take=take)


def nothing(matcher: str, fingerprint: str, record: int, rows: int) -> Points:
    """Rows without features."""

    def take(positions: Ints) -> NDArray[np.uint8]:
        return np.zeros((len(positions), record), np.uint8)

    return Points(matcher, fingerprint, record, np.zeros(rows, HEAD), take)


def joined(parts: Sequence[Points]) -> Points:
    """The rows of one matcher's parts, one after another."""
    borders = np.cumsum([0, *map(len, parts)])

    def take(positions: Ints) -> NDArray[np.uint8]:
        out = np.empty((len(positions), parts[0].record), np.uint8)
        where = np.searchsorted(borders, positions, side="right") - 1
        for number in np.unique(where):
            chosen = where == number
            out[chosen] = parts[number].take(positions[chosen] - borders[number])
        return out

    return replace(parts[0], heads=np.concatenate([one.heads for one in parts]), take=take)


def gathered(
    parts: Sequence[tuple[int, Sequence[Points]]], matcher: str, fingerprint: str, live: Sequence[int]
) -> Points | None:
    """One matcher's features of all rows; None where no segment has any.

    Args:
        parts: of each segment how many rows it has, and what features of them.
        matcher: its name.
        fingerprint: its own; features of another count for nothing.
        live: the changes that count; what others brought is left out.
    """
    named = (matcher, fingerprint)
    own = [
        next((one for one in known if (one.matcher, one.fingerprint) == named), None) for _, known in parts
    ]
    record = next((one.record for one in own if one is not None), None)
    if record is None:
        return None
    rows = [size for size, _ in parts]
    found = joined([one or nothing(*named, record, size) for one, size in zip(own, rows, strict=True)])
    return found.without(~np.isin(found.heads["change"], live))


def write(file: BinaryIO, points: Points) -> None:
    """Write them as one numpy array of bytes: all heads, then all records."""
    size = len(points) * (HEAD.itemsize + points.record)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (size,)})
    file.write(np.ascontiguousarray(points.heads).tobytes())
    for start in range(0, len(points), TOGETHER):
        file.write(points.take(np.arange(start, min(start + TOGETHER, len(points)))).tobytes())


def read(path: Path, part: Features, rows: int) -> Points:
    """The features in a segment's file, mapped into memory; records are read when they are taken.

    Raises:
        FileNotFoundError: the file is not there, or no longer.
        UserError: it is not what the manifest says.
    """
    size = rows * (HEAD.itemsize + part.record)
    if not size:
        return nothing(part.matcher, part.fingerprint, part.record, rows)
    with reading(path, cure=CURE, missing=False):
        flat = np.load(path, mmap_mode="r", allow_pickle=False)
    if flat.shape != (size,) or flat.dtype != np.uint8:
        raise UserError(
            f"it holds {flat.dtype} {flat.shape}, not uint8 {(size,)}", where=str(path), cure=CURE
        )
    heads = flat[: rows * HEAD.itemsize].view(HEAD)
    records = flat[rows * HEAD.itemsize :].reshape(rows, part.record)
    return Points(part.matcher, part.fingerprint, part.record, heads, lambda at: np.asarray(records[at]))
