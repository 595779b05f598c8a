"""Decoded images by row: read once, then taken from a memory-mapped cache for as long as nothing changes."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wildreid import progress
from wildreid.data.fingerprints import contents
from wildreid.data.foreground import behind, framed
from wildreid.data.frames import file_of
from wildreid.data.images import Box, square
from wildreid.data.masks import Masks, open_masks
from wildreid.data.pixels import Pixels
from wildreid.data.placing import placed
from wildreid.data.slabs import NOWHERE, Place, Records, Slabs
from wildreid.data.table import Failure, Table, boxes
from wildreid.data.threads import Threads
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images

_FORM = 2  # of the pixels in the cache; a change of how images are read makes a new one
_BYTES = 32 * 2**20  # decoded at once while the cache is filled


class ImageStore:
    """The images of a table's rows, fitted to one size.

    Made by `open_images`. It can be pickled: a worker that is spawned gets paths and boxes, no pixels.

    Attributes:
        size: pixels a side.
        keys: what each row's pixels depend on, as a hash: the file's bytes, the box, how it is read and fitted,
            and its mask where there is a foreground; empty where the file cannot be read.
        usable: (rows,) whether the row's image can be had.
        failures: the rows whose image cannot, and why.
        masked: the masks as the segmenter made them; None without a foreground.
    """

    def __init__(
        self,
        *,
        paths: Sequence[str],
        box: Sequence[Box | None],
        settings: Images,
        usable: NDArray[np.bool_],
        failures: tuple[Failure, ...],
        keys: Sequence[bytes],
        kept: Records,
        threads: int,
        masked: Masks | None = None,
    ) -> None:
        self.size, self.usable, self.failures, self.keys = settings.size, usable, failures, list(keys)
        self._paths, self._box, self._settings = list(paths), list(box), settings
        self._kept, self._threads, self.masked = kept, threads, masked

    def __len__(self) -> int:
        return len(self._paths)

    def select(self, rows: NDArray[np.integer[Any]]) -> ImageStore:
        """These rows alone, in this order: what goes with a table of which rows were dropped."""
        return ImageStore(
            paths=[self._paths[row] for row in rows],
            box=[self._box[row] for row in rows],
            settings=self._settings,
            usable=self.usable[rows],
            failures=(),
            keys=[self.keys[row] for row in rows],
            kept=self._kept.select(rows),
            threads=self._threads,
            masked=self.masked.select(rows) if self.masked is not None else None,
        )

    @property
    def doubts(self) -> NDArray[np.str_]:
        """(rows,) why the mask of a row is not used, so that its image is whole; empty where it is."""
        return self.masked.doubts if self.masked is not None else np.full(len(self), "")

    def masks(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Pixels:
        """The animals' masks in the images that `take` gives: (rows, size, size) uint8, 255 where the animal is.

        An image whose mask is in doubt is animal all over except for its padding.

        Raises:
            ValueError: the images were opened without a foreground; a row that is not usable.
        """
        return self.take(rows, masks=True)[..., 3]

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]], *, masks: bool = False) -> Pixels:
        """The images of these rows, in this order, as the network sees them.

        Args:
            rows: positions in the table.
            masks: with the animal's mask as a fourth channel.

        Returns:
            (len(rows), size, size, 3 or 4) uint8, a copy.

        Raises:
            ValueError: a row that is not usable; masks without a foreground.
            UserError: an image that is not in the cache can no longer be read.
        """
        if masks and self.masked is None:
            raise ValueError("these images were opened without a foreground, so there are no masks")
        rows = np.asarray(rows, np.int64)
        if not self.usable[rows].all():
            raise ValueError(f"rows {rows[~self.usable[rows]].tolist()} have no image; see 'usable'")
        taken, loose = self._kept.take(rows)
        if len(loose):
            with Threads(self._threads) as pool:
                for position, image in zip(loose, pool.map(self._read, rows[loose].tolist()), strict=True):
                    taken[position] = image
        return taken if masks or self.masked is None else np.ascontiguousarray(taken[..., :3])

    def enlarged(self, row: int, size: int) -> Pixels:
        """One row's animal at another size, as a matcher looks at it: (size, size, 4) uint8, the mask last.

        The place is not hidden, since the mask tells where points may lie: on the animal; where there is no mask to
        rely on, in its box, without the margin; 0 where the square is padded.

        Raises:
            UserError: the image can no longer be read.
        """
        settings = self._settings.model_copy(update={"size": size, "fit": "pad", "background": "keep"})
        path, box = self._paths[row], self._box[row]
        if self.masked is not None and not self.masked.doubts[row]:
            return _square(path, box, settings, self.masked, row, self.keys[row])
        whole = np.full((1, 1), 255, np.uint8)
        return framed(
            Path(path), mask=whole, tighten=False, size=size, box=box, max_pixels=settings.max_pixels
        )

    def placed(self, row: int, size: int) -> NDArray[np.float32]:
        """Where the square of `enlarged` lies in the row's picture; see `wildreid.data.placing.placed`."""
        masked = self.masked
        mask = masked.mask(row) if masked is not None and not masked.doubts[row] else None
        return placed(Path(self._paths[row]), self._box[row], self._settings, mask=mask, size=size)

    @property
    def anywhere(self) -> NDArray[np.bool_]:
        """(rows,) whether a row has neither mask nor box to rely on: a matcher's points may lie on the place."""
        boxless = np.array([box is None for box in self._box], bool)
        return boxless if self.masked is None else boxless & (self.doubts != "")

    def _read(self, row: int) -> Pixels:
        key = self.keys[row]
        return _square(self._paths[row], self._box[row], self._settings, self.masked, row, key)


def open_images(
    table: Table,
    settings: Images,
    *,
    cache: Path,
    threads: int = 2,
    foreground: Segmenter | None = None,
    device: str = "cpu",
) -> ImageStore:
    """Open the images of a table; the first time, decode them into the cache.

    An image is found again by the bytes of its file, its box, and how it is read and fitted: whatever
    changes, changes the key. What is decoded is kept at once, so an interrupted build goes on where it
    stopped, and two processes may build together. Rows that do not fit into ``settings.cache_gib`` are
    decoded each time they are taken, as all are with ``cache: false``.

    Args:
        table: any table.
        settings: the recipe's ``images``.
        cache: the folder of caches.
        threads: that decode.
        foreground: the recipe's: its masks are made where they are not yet, and the images show what ``settings``
            makes of them; None: images are taken as they are.
        device: that the segmenter may use.

    Raises:
        UserError: the cache cannot be written; the segmenter lacks something.
    """
    paths = [str(file_of(table.root, image)) for image in table["image"]]
    box = boxes(table.rows)
    content = contents(table, cache=cache, threads=threads)
    recipe = f"{_FORM}|{settings.size}|{settings.fit}|{settings.margin}"
    masked = None
    seen = [""] * len(table)
    if foreground is not None:
        masked = open_masks(
            table, settings, foreground,
            content=content, box=box, cache=cache, threads=threads, device=device,
        )  # fmt: skip
        seen = [f"|{settings.background}|{settings.tighten}|{key.hex()}" for key in masked.keys]
    keys = [
        hashlib.blake2b(f"{recipe}|{text}|{edges}{mask}".encode(), digest_size=16).digest() if text else b""
        for text, edges, mask in zip(content, box, seen, strict=True)
    ]
    failed: dict[int, str] = {}
    limit = int(settings.cache_gib * 2**30)
    shape = settings.size, settings.size, 3 if masked is None else 4
    with Slabs(cache / "images", record=math.prod(shape), limit=limit, suffix="rgb") as slabs:
        found = slabs.find(keys) if settings.cache else {}
        todo = _once([row for row, key in enumerate(keys) if key not in found], keys)
        _decode(todo, keys, paths, box, settings, masked, threads, slabs, found, failed)
        kept = slabs.reader((found.get(key, NOWHERE) for key in keys), shape=shape, dtype="uint8")
    reasons = {keys[row]: reason for row, reason in failed.items() if keys[row]}
    reasons_by_row = [failed.get(row) or reasons.get(key) for row, key in enumerate(keys)]
    return ImageStore(
        paths=paths,
        box=box,
        settings=settings,
        usable=np.array([reason is None for reason in reasons_by_row], bool),
        failures=tuple(
            Failure(str(table["image"].iloc[row]), reason, row)
            for row, reason in enumerate(reasons_by_row)
            if reason is not None
        ),
        keys=keys,
        kept=kept,
        threads=threads,
        masked=masked,
    )


def _decode(
    todo: list[int],
    keys: Sequence[bytes],
    paths: Sequence[str],
    box: Sequence[Box | None],
    settings: Images,
    masked: Masks | None,
    threads: int,
    slabs: Slabs,
    found: dict[bytes, Place],
    failed: dict[int, str],
) -> None:
    """Decode rows batch by batch into the cache; fills `found` and `failed`."""

    def attempt(row: int) -> Pixels | str:
        try:
            return _square(paths[row], box[row], settings, masked, row, keys[row])
        except UserError as error:
            return error.what

    step = max(threads, _BYTES // (3 * settings.size**2))
    start = secrets.randbelow(len(todo)) if todo else 0
    turned = todo[start:] + todo[:start]  # two who build at once begin in different places and meet late
    good: dict[bytes, Pixels] = {}
    with Threads(threads) as pool, ThreadPoolExecutor(1) as keeper:
        coming = iter(progress.bar(turned, "decoding images"))
        for batch in iter(lambda: list(islice(coming, step)), []):
            if settings.cache:
                found.update(slabs.find([keys[row] for row in batch]))
            keeping = keeper.submit(slabs.add, good) if good else None  # while the next are decoded
            rows = [row for row in batch if keys[row] not in found]
            images = dict(zip(rows, pool.map(attempt, rows), strict=True))
            failed.update({row: image for row, image in images.items() if isinstance(image, str)})
            found.update(keeping.result() if keeping else {})
            good = {}
            if settings.cache:
                good = {keys[row]: image for row, image in images.items() if not isinstance(image, str)}
    if good:
        found.update(slabs.add(good))


def _square(
    path: str, box: Box | None, settings: Images, masked: Masks | None, row: int, key: bytes
) -> Pixels:
    """The one place where a row's pixels are read: (size, size, 3), or 4 with its mask where there are masks."""
    how: dict[str, Any] = {
        "size": settings.size,
        "how": settings.fit,
        "box": box,
        "margin": settings.margin,
        "max_pixels": settings.max_pixels,
    }
    if masked is None:
        return square(Path(path), **how)
    tighten = settings.tighten and not masked.doubts[row]
    image = framed(Path(path), mask=masked.mask(row), tighten=tighten, **how)
    return image if masked.doubts[row] else behind(image, settings.background, seed=key)


def _once(rows: list[int], keys: Sequence[bytes]) -> list[int]:
    """One row for each key; every row without a key, so that each has its own reason."""
    first: dict[bytes, int] = {}
    for row in rows:
        first.setdefault(keys[row] or str(row).encode(), row)
    return list(first.values())
