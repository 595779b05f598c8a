"""A small herd whose patterns a matcher knows, and a matcher that costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from wildreid.artefacts import LocalFeatures
from wildreid.data.table import Table
from wildreid.hookspecs import hookimpl
from wildreid.kinds import Matcher
from wildreid.registry import Registry, Source


class Built:
    """One point an image, whose descriptor is the image's mean colour: near ones match."""

    size, points, width, symmetric = 32, 4, 3, True

    def __init__(self) -> None:
        self.scored = 0

    def extract(self, images: np.ndarray, masks: np.ndarray) -> LocalFeatures:
        n = len(images)
        points, looks = np.zeros((n, 4, 2), np.float16), np.zeros((n, 4, 3), np.float16)
        counts = np.zeros(n, np.int64)
        for at, (image, mask) in enumerate(zip(images, masks, strict=True)):
            inside = mask > 127
            if inside.any() and image[inside].any():
                looks[at, 0], counts[at] = image[inside].mean(axis=0) / 255, 1
                points[at, 0] = np.argwhere(inside)[0][::-1]
        return LocalFeatures(points, looks, counts)

    def score(self, query: LocalFeatures, gallery: LocalFeatures) -> np.ndarray:
        self.scored += len(gallery)
        apart = np.abs(gallery.descriptors[:, 0].astype(float) - query.descriptors[0, 0].astype(float)).sum(
            axis=1
        )
        return np.rint(100 * np.exp(-4 * apart)) * (gallery.counts > 0) * (query.counts[0] > 0)

    def lines(self, query: LocalFeatures, gallery: LocalFeatures) -> np.ndarray:
        sure = self.score(query, gallery) / 100
        ends = np.concatenate([query.points[0, 0], gallery.points[0, 0], sure])
        return ends[None].astype(np.float32)[sure > 0]


class Colour(Matcher):
    """Mean colours."""

    name = "colour"
    version: int = Field(1, description="changes the fingerprint")

    def build(self, *, device: str) -> Any:
        return Built()


class Plugin:
    """Offers that matcher."""

    @hookimpl
    def wildreid_matchers(self) -> list[Any]:
        return [Colour]


def colourful(**how: Any) -> Registry:
    """A registry that has it too."""
    found = Registry(**how)
    found.add(Plugin(), Source("tests", "here"))
    return found


class Pictures:
    """Images whose colour an individual has, with noise, as a matcher looks at them."""

    def __init__(self, table: Table, *, noise: float = 20, black: Sequence[int] = ()) -> None:
        self.asked: list[int] = []
        self.anywhere = np.zeros(len(table), bool)
        who = table["identity"].astype("category").cat.codes.to_numpy()
        random = np.random.default_rng(5)
        colours = random.uniform(40, 215, (who.max() + 1, 3))
        self._colours = np.clip(colours[who] + random.normal(0, noise, (len(table), 3)), 1, 255)
        self._colours[list(black)] = 0
        self.keys = [hashlib.blake2b(name.encode(), digest_size=16).digest() for name in table["id"]]

    def enlarged(self, row: int, size: int) -> np.ndarray:
        self.asked.append(row)
        image = np.zeros((size, size, 4), np.uint8)
        image[..., :3], image[..., 3] = self._colours[row], 255
        return image
