"""Who is on a photo by what people wrote into it: keywords as trees, flat keywords, named regions."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageFile, IptcImagePlugin

from wildreid.data.frames import file_of, film_of
from wildreid.data.images import FORMATS, header_of
from wildreid.data.records import Records
from wildreid.data.table import Failure
from wildreid.data.xmp import Region, Written, read_xmp

NOT_ANIMALS = frozenset({"barcode", "focus"})
"""Types of regions that show no animal, in small letters."""
_SIDECAR = ".xmp"
_KEYWORDS = (2, 25)  # IPTC's data set of keywords
_SAME_SHAPE = 0.02  # by how much two ratios of sides may differ: programs round when they shrink


@dataclass(frozen=True)
class Tags:
    """What of a photo's keywords and regions is the name of an individual.

    Attributes:
        tag: the keyword above the names: ``individual|Bella``.
        flat: flat keywords that are names.
        pattern: a regular expression that flat keywords which are names match whole.
        regions: the types of regions whose names count; None: all but `NOT_ANIMALS`.
    """

    tag: str
    flat: frozenset[str] = frozenset()
    pattern: str | None = None
    regions: frozenset[str] | None = None

    def names(self, written: Written) -> tuple[str, ...]:
        """The names that the keywords give: trees first, flat ones where these say nothing."""
        return written.below(self.tag) or tuple(
            word
            for word in written.flat
            if word in self.flat or (self.pattern is not None and re.fullmatch(self.pattern, word))
        )

    def shows(self, region: Region) -> bool:
        """Whether a region's name is an individual's."""
        kind = region.type.casefold()
        if self.regions is None:
            return kind not in NOT_ANIMALS
        return kind in {one.casefold() for one in self.regions}


@dataclass(frozen=True)
class _Animal:
    """One record: a name, its box in shares of the photo, whether that is as stored, or what is wrong."""

    name: str | None = None
    box: tuple[float, float, float, float] | None = None
    stored: bool = False
    wrong: str | None = None


def tagged(
    rows: pd.DataFrame, root: Path, tags: Tags, *, others: Sequence[Failure] = (), threads: int = 4
) -> Records:
    """A record for each animal that photos and their sidecars name, or one without a name for each photo.

    A sidecar (``NAME.EXT.xmp``, ``NAME.xmp``) is asked where the photo says nothing; where they name different
    animals, the photo fails. Animals of one photo that no region tells apart fail when the table is made.

    Args:
        rows: one row for each photo, with a column ``image``; what other columns it has is taken along.
        root: the folder that the paths are relative to.
        tags: what is a name.
        others: what else lies there; sidecars of these photos are taken out of it, the rest is kept as it is.
        threads: that read headers.
    """
    images = rows["image"].tolist()
    beside = _sidecars(root, images)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda image: _animals(file_of(root, image), beside[image], tags), images))
    animals = [animal for some in found for animal in some]
    counts = [len(some) for some in found]
    of_photo = rows.drop(columns="identity", errors="ignore").loc[rows.index.repeat(counts)]
    names = pd.Series([animal.name for animal in animals], dtype="string")
    photos = of_photo["image"]
    records = Records(of_photo.reset_index(drop=True).assign(identity=names), photos, root, paths=photos)
    used = {path for paths in beside.values() for path in paths}
    records.further(failures=[_other(failure) for failure in others if root / failure.image not in used])
    reasons = [animal.wrong for animal in animals]
    records.fail([reason is not None for reason in reasons], reasons)
    values = np.array([animal.box or (np.nan,) * 4 for animal in animals], np.float64).reshape(-1, 4)
    records.box(values, relative=True, stored=np.array([animal.stored for animal in animals], bool))
    return records


def _other(failure: Failure) -> Failure:
    sidecar = failure.image.lower().endswith(_SIDECAR)
    return replace(failure, reason="a sidecar of no photo that is here") if sidecar else failure


def _sidecars(root: Path, images: Iterable[str]) -> dict[str, list[Path]]:
    """The sidecars of each photo, or of a frame's film, that are there, whatever the case of their names."""
    listed: dict[Path, dict[str, str]] = {}
    found: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        folder, name = (root / (film_of(image) or image)).parent, os.path.basename(film_of(image) or image)
        if folder not in listed:
            names = os.listdir(folder) if folder.is_dir() else []
            listed[folder] = {one.lower(): one for one in names if one.lower().endswith(_SIDECAR)}
        for wanted in (name, os.path.splitext(name)[0]):
            there = listed[folder].get((wanted + _SIDECAR).lower())
            found[image] += [] if there is None else [folder / there]
    return found


def _animals(photo: Path, sidecars: Sequence[Path], tags: Tags) -> list[_Animal]:
    """What a photo and its sidecars say, as records."""
    size = header_of(photo)
    said: list[_Animal] = []
    try:
        sources = [_written(photo, flat=bool(tags.flat or tags.pattern))]
        sources += [read_xmp(sidecar.read_bytes()) for sidecar in sidecars]
        for written in sources:
            more = _said(written, tags, size)
            before, now = ({animal.name for animal in some} for some in (said, more))
            if said and more and before != now:
                told = " and ".join(", ".join(sorted(str(name) for name in some)) for some in (before, now))
                return [_Animal(wrong=f"the photo and its sidecar name different animals: {told}")]
            if not said or all(animal.box is None for animal in said):
                said = more or said
    except (ValueError, OSError) as error:
        return [_Animal(wrong=f"what is written in it cannot be used: {error}")]
    if not said and any(written.unfinished for written in sources):
        return [_Animal(wrong="its XMP goes on in an extended packet, which is not read")]
    return said or [_Animal()]


def _written(photo: Path, *, flat: bool) -> Written:
    """What stands in the photo itself; nothing where it cannot be opened, which is told when it is read."""
    if not photo.is_file():
        return Written()
    try:
        with Image.open(photo, formats=FORMATS) as picture:
            packet = picture.info.get("xmp")
            words = _iptc(picture) if flat else ()
    except Exception:
        return Written()
    written = read_xmp(packet) if packet else Written()
    return replace(written, flat=tuple(dict.fromkeys((*written.flat, *words))))


def _iptc(picture: ImageFile.ImageFile) -> tuple[str, ...]:
    """The flat keywords of IPTC; UTF-8, as nearly all write it today, else Latin-1."""
    info: Any = IptcImagePlugin.getiptcinfo(picture) or {}
    words = info.get(_KEYWORDS, [])
    found = []
    for word in words if isinstance(words, list) else [words]:
        try:
            found.append(word.decode("utf-8").strip())
        except UnicodeDecodeError:
            found.append(word.decode("latin-1").strip())
    return tuple(word for word in found if word)


def _said(written: Written, tags: Tags, size: tuple[int, int, int] | None) -> list[_Animal]:
    """The animals of one packet: each named region, and each keyword's name that no region has.

    Raises:
        ValueError: a region's numbers are not shares of the photo, or were drawn on a picture of another shape.
    """
    animals = []
    regions = [region for region in written.regions if tags.shows(region)]
    stored = bool(regions) and size is not None and _is_stored(written.drawn_on, size)
    for region in regions:
        if region.unit.casefold() != "normalized":
            raise ValueError(f"the region '{region.name}' is in {region.unit}, not in shares of the photo")
        box = (region.x - region.width / 2, region.y - region.height / 2, region.width, region.height)
        animals.append(_Animal(region.name, box, stored))
    boxed = {region.name for region in regions}
    return animals + [_Animal(name) for name in tags.names(written) if name not in boxed]


def _is_stored(drawn_on: tuple[float, float] | None, size: tuple[int, int, int]) -> bool:
    """Whether regions were drawn on the photo as it is stored, and not as it is seen."""
    if drawn_on is None:
        return False
    width, height, orientation = size
    drawn, seen = drawn_on[0] / drawn_on[1], width / height
    if abs(drawn / seen - 1) <= _SAME_SHAPE:
        return False
    if orientation >= 5 and abs(drawn * seen - 1) <= _SAME_SHAPE:
        return True
    raise ValueError(
        f"its regions were drawn on a picture of {drawn_on[0]:g} × {drawn_on[1]:g}, and this one has "
        f"{width} × {height}"
    )
