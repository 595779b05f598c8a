"""The local features of a table's images: extracted once, then taken from a cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from wildreid import progress
from wildreid.artefacts import LocalFeatures
from wildreid.data.slabs import NOWHERE, Records, Slabs
from wildreid.errors import UserError
from wildreid.kinds import LocalMatcher, Matcher
from wildreid.training.prefetch import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

FORM = 1
"""Of the features in the cache; a change of how photos are shown to a matcher makes new ones."""
TOGETHER = 16
"""Images that a GPU looks at in one call, always so many; on a CPU one, so that none depends on those beside it."""
KEPT = 64
"""Images after which features are written."""


class Enlargeable(Protocol):
    """Images as a matcher looks at them, whatever holds them."""

    @property
    def keys(self) -> list[bytes]:
        """What each row's pixels and mask depend on, as a hash."""
        ...

    def enlarged(self, row: int, size: int) -> NDArray[np.uint8]:
        """(size, size, 4) uint8, the last the mask."""
        ...


class Featured(Protocol):
    """Rows with local features by one matcher, wherever these lie.

    Attributes:
        option: the matcher.
        matcher: what it built.
        counts: (rows,) how many points each row has.
    """

    option: Matcher
    matcher: LocalMatcher
    counts: Ints

    def key(self, row: int) -> bytes:
        """What the features of a row depend on, as a hash; empty or 0 for a row without features."""
        ...

    def take(self, rows: Sequence[int] | Ints) -> LocalFeatures:
        """The features of these rows, in this order."""
        ...


class Local:
    """The local features of some rows of a table by one matcher. Made by `open_local`.

    Attributes:
        option: the matcher.
        matcher: what it built.
        keys: what the features of each row depend on, as a hash; empty for rows without features.
        counts: (rows,) how many points each row has.
    """

    def __init__(
        self,
        option: Matcher,
        matcher: LocalMatcher,
        keys: Sequence[bytes],
        kept: Records | _Held,
        images: Enlargeable,
    ) -> None:
        self.option, self.matcher, self.keys = option, matcher, list(keys)
        self._kept, self._images = kept, images
        self.counts: Ints = np.zeros(len(self.keys), np.int64)
        there = np.flatnonzero([bool(key) for key in self.keys])
        heads, loose = kept.take(there, part=slice(4))
        self.counts[there] = np.ascontiguousarray(heads).view(np.int32)[:, 0]
        for at in there[loose]:  # what had no room in the cache
            self.counts[at] = self.take([int(at)]).counts[0]

    def key(self, row: int) -> bytes:
        """What the features of a row depend on, as a hash; empty for a row without features."""
        return self.keys[row]

    def take(self, rows: Sequence[int] | Ints) -> LocalFeatures:
        """The features of these rows, in this order."""
        return unpacked(self.records(rows), self.matcher)

    def records(self, rows: Sequence[int] | Ints) -> NDArray[np.uint8]:
        """(n, record) the features of these rows as `packed` packs them."""
        rows = np.asarray(rows, np.int64)
        records, loose = self._kept.take(rows)
        for position in loose:
            records[position] = _extracted(self.matcher, self._images, [int(rows[position])])[0]
        return records


def open_local(
    option: Matcher,
    images: Enlargeable,
    rows: Ints,
    *,
    device: str,
    cache: Path | None,
    cache_gib: float = 50.0,
    threads: int = 1,
    matcher: LocalMatcher | None = None,
) -> Local:
    """The local features of these rows; what is not in the cache yet is extracted and kept there.

    They are found again by the image's key (the bytes of its file, its box, its mask), the matcher's fingerprint
    and the size at which it looks. What is extracted is kept at once, so a killed run goes on where it stopped.

    Args:
        option: the matcher.
        images: the images.
        rows: positions in `images`.
        device: to extract and compare on, such as ``cpu``.
        cache: the folder of caches; None: all are extracted, and held in memory.
        cache_gib: the most that all kept features may take.
        threads: that decode.
        matcher: what the option built, where that is at hand.

    Raises:
        UserError: the matcher lacks something; the cache cannot be written; an image can no longer be read.
    """
    matcher = option.build(device=device) if matcher is None else matcher
    base = f"|{FORM}|{option.fingerprint()}|{matcher.size}|{device.partition(':')[0]}".encode()
    keys = [b""] * len(images.keys)
    for row in rows:
        keys[row] = hashlib.blake2b(images.keys[row] + base, digest_size=16).digest()
    record = record_size(matcher)

    def extracted(known: Mapping[bytes, Any]) -> Iterator[dict[bytes, NDArray[np.uint8]]]:
        first = {key: row for row, key in reversed(list(enumerate(keys))) if key and key not in known}
        for batch, found in _extracting(option, matcher, images, sorted(first.values()), device, threads):
            yield dict(zip((keys[row] for row in batch), found, strict=True))

    if cache is None:
        held = {key: one for batch in extracted({}) for key, one in batch.items()}
        return Local(option, matcher, keys, _Held(held, keys, record), images)
    with Slabs(cache / "points", record=record, limit=int(cache_gib * 2**30), suffix="points") as slabs:
        found = slabs.find(key for key in keys if key)
        waiting: dict[bytes, NDArray[np.uint8]] = {}
        for batch in extracted(found):
            waiting |= batch
            if len(waiting) >= KEPT:
                found.update(slabs.add(waiting))
                waiting = {}
        found.update(slabs.add(waiting) if waiting else {})
        kept = slabs.reader((found.get(key, NOWHERE) for key in keys), shape=(record,), dtype="uint8")
    return Local(option, matcher, keys, kept, images)


class _Held:
    """Records in memory, taken as those of a cache are."""

    def __init__(self, records: Mapping[bytes, NDArray[np.uint8]], keys: Sequence[bytes], size: int) -> None:
        self._records, self._keys, self._none = records, keys, np.zeros(size, np.uint8)

    def take(
        self, rows: NDArray[np.integer[Any]], *, part: slice = slice(None)
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Copies of these rows' records, and no position that could not be had."""
        found = [self._records.get(self._keys[row], self._none)[part] for row in rows]
        shape = (len(found), len(self._none[part]))
        return np.stack(found) if found else np.empty(shape, np.uint8), np.empty(0, np.int64)


def _extracting(
    option: Matcher, matcher: LocalMatcher, images: Enlargeable, rows: list[int], device: str, threads: int
) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """The records of these rows, batch by batch, images read while those before are looked at."""
    size, together = matcher.size, 1 if device == "cpu" else TOGETHER

    def read(batch: list[int]) -> tuple[list[int], list[NDArray[np.uint8]]]:
        return batch, [images.enlarged(row, size) for row in batch]

    batches = [rows[start : start + together] for start in range(0, len(rows), together)]
    ahead = prefetch(batches, read, threads=threads)
    for batch, pixels in progress.bar(ahead, f"points by {option.name}", total=len(batches)):
        yield batch, _packed_of(matcher, pixels, together)


def record_size(matcher: LocalMatcher) -> int:
    """Bytes that the features of one image take."""
    return 4 + 2 * matcher.points * (2 + matcher.width)


def packed(features: LocalFeatures) -> NDArray[np.uint8]:
    """(N, record) uint8: the count of points, the points, their descriptors."""
    parts = (features.counts.astype(np.int32)[:, None], features.points, features.descriptors)
    return np.concatenate(
        [np.ascontiguousarray(part.reshape(len(features), -1)).view(np.uint8) for part in parts], axis=1
    )


def unpacked(records: NDArray[np.uint8], matcher: LocalMatcher) -> LocalFeatures:
    """What `packed` packed."""
    counts = np.ascontiguousarray(records[:, :4]).view(np.int32)[:, 0].astype(np.int64)
    body = np.ascontiguousarray(records[:, 4:]).view(np.float16)
    points = body[:, : 2 * matcher.points].reshape(-1, matcher.points, 2)
    return LocalFeatures(
        points, body[:, 2 * matcher.points :].reshape(-1, matcher.points, matcher.width), counts
    )


def _extracted(matcher: LocalMatcher, images: Enlargeable, rows: Sequence[int]) -> NDArray[np.uint8]:
    return _packed_of(matcher, [images.enlarged(row, matcher.size) for row in rows], len(rows))


def _packed_of(
    matcher: LocalMatcher, pixels: Sequence[NDArray[np.uint8]], together: int
) -> NDArray[np.uint8]:
    """The records of images (size, size, 4), of which the network is always given so many at once."""
    stacked = np.stack([*pixels, *[pixels[-1]] * (together - len(pixels))])
    features = matcher.extract(np.ascontiguousarray(stacked[..., :3]), np.ascontiguousarray(stacked[..., 3]))
    points, width = (matcher.points, 2), (matcher.points, matcher.width)
    if features.points.shape[1:] != points or features.descriptors.shape[1:] != width:
        raise UserError(
            f"a matcher gave points {features.points.shape[1:]} and descriptors "
            f"{features.descriptors.shape[1:]} an image, not {points} and {width}",
            where="matchers",
            cure="tell the author of that plugin",
        )
    return packed(features.take(slice(len(pixels))))
