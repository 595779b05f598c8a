"""The masks of a table's animals: asked of a segmenter once, then taken from a cache."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wildreid import progress
from wildreid.artefacts import Crop, Missing
from wildreid.data.asked import Crops
from wildreid.data.foreground import DOUBTS, doubt, the_animal
from wildreid.data.images import Box, fitted
from wildreid.data.slabs import NOWHERE, Records, Slabs
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images

if TYPE_CHECKING:
    Mask = NDArray[np.uint8]

FORM = 1
"""Of the masks in the cache; a change of how they are made makes new ones."""
BATCH = 16
"""Crops that a segmenter looks at in one call."""
HEAD, _DOUBT, _SEVERAL = 8, 4, 5
"""Bytes before the mask in a record: the share of the crop that is animal, why it is in doubt, whether parts of it
were not chosen."""
SPECK = 0.05
"""A part that was not chosen counts from this share of the chosen one on."""
_OTHERS = np.uint8(
    128
)  # the bit of a pixel that is of a part that was not chosen; the others are the softness


class Masks:
    """The masks of a table's rows. Made by `open_masks`; safe to use from several threads.

    Attributes:
        segmenter: what made them.
        keys: what each row's mask depends on, as a hash; empty where the photo cannot be read.
        doubts: (rows,) why a row's photo is worked on as a whole image; empty where its mask is used.
        settings: the recipe's ``images``.
    """

    def __init__(
        self,
        *,
        segmenter: Segmenter,
        keys: Sequence[bytes],
        doubts: NDArray[np.str_],
        kept: Records,
        crop: Crops,
        device: str,
    ) -> None:
        self.segmenter, self.keys, self.doubts = segmenter, list(keys), doubts
        self._kept, self._crop, self._device = kept, crop, device
        self.settings = crop.settings
        self._asking = threading.Lock()
        self._segment: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_segment": None, "_asking": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _asking=threading.Lock())

    def select(self, rows: NDArray[np.integer[Any]]) -> Masks:
        """These rows alone, in this order."""
        return Masks(
            segmenter=self.segmenter,
            keys=[self.keys[row] for row in rows],
            doubts=self.doubts[rows],
            kept=self._kept.select(rows),
            crop=self._crop.select(rows),
            device=self._device,
        )

    def said(self, row: int) -> tuple[Mask, NDArray[np.bool_]] | None:
        """What the segmenter said of a row, be it used or not: the animal, and parts that were not chosen.

        Returns:
            (side, side) uint8 and bool, stretched over the box and the margin around it; None: it said nothing.
        """
        records, loose = self._kept.take(np.array([row]))
        if not len(loose):
            return _unpacked(records[0])
        with self._asking:
            if self._segment is None:
                self._segment = self.segmenter.build(device=self._device)
            try:
                crop = self._crop(row)
            except UserError:
                return None
            (mask,) = self._segment([crop])
        return (
            None
            if isinstance(mask, Missing)
            else _unpacked(_packed(mask, crop, self._crop.side, self.segmenter))
        )

    def mask(self, row: int) -> Mask:
        """(side, side) uint8, 255 where the animal is, stretched as in `said`; all of it where in doubt."""
        said = None if self.doubts[row] else self.said(row)
        return np.full((self._crop.side,) * 2, 255, np.uint8) if said is None else said[0]

    @property
    def share(self) -> NDArray[np.float64]:
        """(rows,) how much of the crop is animal; NaN where there is no mask in the cache."""
        heads, loose = self._kept.take(np.arange(len(self._kept)), part=slice(4))
        shares = np.ascontiguousarray(heads).view(np.float32)[:, 0].astype(np.float64)
        shares[loose] = np.nan
        return shares

    @property
    def several(self) -> NDArray[np.bool_]:
        """(rows,) whether the segmenter saw parts that do not touch, of which one was chosen."""
        heads, loose = self._kept.take(np.arange(len(self._kept)), part=slice(HEAD))
        found = heads[:, _SEVERAL] > 0
        found[loose] = False
        return found


def open_masks(
    table: Table,
    settings: Images,
    segmenter: Segmenter,
    *,
    content: Sequence[str | None],
    box: Sequence[Box | None],
    cache: Path,
    threads: int = 2,
    device: str = "cpu",
) -> Masks:
    """The masks of a table's rows; the first time, they are asked of the segmenter.

    Args:
        table: any table.
        settings: the recipe's ``images``.
        segmenter: the recipe's ``foreground``.
        content: the hash of each row's file, None where it cannot be read.
        box: of each row.
        cache: the folder of caches.
        threads: that decode.
        device: that the segmenter may use.

    Raises:
        UserError: the segmenter lacks something; no row has what it needs.
    """
    crop = Crops(table, box, settings, segmenter)
    base = f"{FORM}|{segmenter.fingerprint()}|{crop.side}|{settings.margin}"
    keys = [
        hashlib.blake2b(
            f"{base}|{text}|{edges}|{segmenter.key(row=row, root=table.root)}".encode(), digest_size=16
        ).digest()
        if text
        else b""
        for row, text, edges in zip(crop.rows(), content, box, strict=True)
    ]
    limit, record = int(settings.cache_gib * 2**30), HEAD + crop.side**2
    reasons: dict[bytes, str] = {}
    with Slabs(cache / "masks", record=record, limit=limit, suffix="mask") as slabs:
        found = slabs.find(key for key in keys if key)
        first = {key: row for row, key in reversed(list(enumerate(keys))) if key and key not in found}
        todo = sorted(first.values())
        segment = segmenter.build(device=device) if todo else None
        for batch in progress.bar(
            _ahead(todo, crop, threads), "finding animals", total=-(-len(todo) // BATCH)
        ):
            assert segment is not None
            found.update(slabs.find(keys[row] for row in batch))  # another process may do the same
            crops = {row: one for row, one in batch.items() if keys[row] not in found and one is not None}
            masks = dict(zip(crops, segment(list(crops.values())) if crops else (), strict=True))
            packed = {
                keys[row]: _packed(mask, crops[row], crop.side, segmenter)
                for row, mask in masks.items()
                if not isinstance(mask, Missing)
            }
            reasons |= {keys[row]: one.reason for row, one in masks.items() if isinstance(one, Missing)}
            reasons |= {key: DOUBTS[one[_DOUBT]] for key, one in packed.items()}  # not all may find room
            found.update(slabs.add(packed))
        kept = slabs.reader((found.get(key, NOWHERE) for key in keys), shape=(record,), dtype="uint8")
    heads, loose = kept.take(np.arange(len(keys)), part=slice(HEAD))
    doubts = [DOUBTS[code] for code in heads[:, _DOUBT]]
    for row in loose:
        doubts[row] = reasons.get(keys[row], "")
    return Masks(
        segmenter=segmenter, keys=keys, doubts=np.array(doubts, str), kept=kept, crop=crop, device=device
    )


def masks_of_arrays(
    arrays: Sequence[Mask], settings: Images, segmenter: Segmenter, *, device: str = "cpu"
) -> Iterator[tuple[Mask, str]]:
    """The mask of each of some photos in memory, (height, width, 3), and why it is not used; nothing is kept.

    Raises:
        UserError: the segmenter lacks something.
    """
    side = segmenter.longest or settings.size
    segment = segmenter.build(device=device)
    for start in range(0, len(arrays), BATCH):
        crops = []
        for number, array in enumerate(arrays[start : start + BATCH], start):
            height, width = array.shape[:2]
            shape = fitted(width, height, min(side, max(width, height)), "pad")[::-1]
            small = np.asarray(Image.fromarray(array).resize(shape[::-1], Image.Resampling.BILINEAR))
            pixels = small if segmenter.longest is not None else None
            row = {"image": f"image {number}"}
            crops.append(Crop(shape, (0, 0, width, height), (width, height), None, row, Path.cwd(), pixels))
        for crop, mask in zip(crops, segment(crops), strict=True):
            if isinstance(mask, Missing):
                yield np.full((side, side), 255, np.uint8), mask.reason
                continue
            record = _packed(mask, crop, side, segmenter)
            yield _unpacked(record)[0], DOUBTS[record[_DOUBT]]


def _ahead(rows: Sequence[int], crop: Crops, threads: int) -> Iterator[dict[int, Crop | None]]:
    """The crops of these rows, batch by batch, read while the batch before is looked at; None: unreadable."""

    def read_one(row: int) -> Crop | None:
        try:
            return crop(row)
        except UserError:  # it is reported where the image is decoded
            return None

    with ThreadPoolExecutor(threads) as pool:
        batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        ahead = {row: pool.submit(read_one, row) for row in batches[0]} if batches else {}
        for number in range(len(batches)):
            now, ahead = ahead, {row: pool.submit(read_one, row) for row in (*batches, [])[number + 1]}
            yield {row: future.result() for row, future in now.items()}


def _packed(mask: Mask, crop: Crop, side: int, segmenter: Segmenter) -> Mask:
    """One record: its share and doubt, then (side, side) of 7 bits of softness and one for other animals."""
    if mask.shape != crop.shape or mask.dtype != np.uint8:
        raise UserError(
            f"the segmenter '{segmenter.name}' gave a mask of {mask.dtype} {mask.shape} for a crop of {crop.shape}",
            cure="tell the author of that plugin: uint8 (height, width) of the crop's shape",
        )
    others = np.zeros(mask.shape, bool)
    if segmenter.several:
        middle = None
        if crop.box is not None:
            left, top, right, bottom = crop.scaled(crop.box)
            middle = max(0.0, (left + right) / 2), max(0.0, (top + bottom) / 2)
        mask, others = the_animal(mask, middle)
    stretched = Image.fromarray(mask).resize((side, side), Image.Resampling.BILINEAR)
    apart = Image.fromarray(others.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
    soft = np.asarray(stretched)
    head = np.zeros(HEAD, np.uint8)
    head[:4] = np.frombuffer(np.float32((soft > 127).mean()).tobytes(), np.uint8)
    head[_DOUBT], head[_SEVERAL] = doubt(soft), others.sum() > SPECK * (mask > 127).sum()
    return np.concatenate([head, ((soft >> 1) | (np.asarray(apart) << 7)).ravel()])


def _unpacked(record: Mask) -> tuple[Mask, NDArray[np.bool_]]:
    side = math.isqrt(len(record) - HEAD)
    body = record[HEAD:].reshape(side, side)
    soft = body & 127
    return soft * 2 + (soft >> 6), body >= _OTHERS
