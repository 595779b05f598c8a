"""The checks for authors of matchers, fusions and re-rankers: each rule that is broken is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
from pydantic import Field
from tests.core.matching.made import Built, Colour

from wildreid.artefacts import LocalFeatures
from wildreid.kinds import Fusion, Reranker
from wildreid.testing import check_option


class Good(Built):
    """Two points an image, the animal's upper left and lower right; a mean colour and a number of its own."""

    width = 4

    def extract(self, images: np.ndarray, masks: np.ndarray) -> LocalFeatures:
        found = super().extract(images, masks)
        points, looks = found.points, np.zeros((len(images), 4, 4), np.float16)
        counts = 2 * found.counts
        for n in np.flatnonzero(counts):
            looks[n, :2, :3] = found.descriptors[n, 0]
            looks[n, :2, 3] = images[n].astype(float).std() / 255
            points[n, 1] = np.argwhere(masks[n] > 127)[-1][::-1]
        return LocalFeatures(points, looks, counts)

    def lines(self, query: LocalFeatures, gallery: LocalFeatures) -> np.ndarray:
        sure = self.score(query, gallery)[0] / 100
        if not sure:
            return np.zeros((0, 5), np.float32)
        ends = np.concatenate([query.points[0, :2], gallery.points[0, :2]], axis=1)
        return np.concatenate([ends, [[sure], [sure / 2]]], axis=1).astype(np.float32)


def matcher(**members: Any) -> Colour:
    """A matcher that is good except for some members of what it builds, and of itself as ``option_…``."""
    own = {name.removeprefix("option_"): members.pop(name) for name in list(members) if "option_" in name}
    made = type("Made", (Good,), members)
    own = {"__doc__": "Mean colours, and what is wrong.", "build": lambda self, *, device: made(), **own}
    return type("Colour", (Colour,), own)()  # type: ignore[no-any-return]


def features(change: Callable[[LocalFeatures], Any]) -> dict[str, Any]:
    return {"extract": lambda self, images, masks: change(Good.extract(self, images, masks))}


def scores(change: Callable[..., Any]) -> dict[str, Any]:
    return {"score": lambda self, query, gallery: change(Good.score(self, query, gallery), query, gallery)}


def lines(change: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    return {"lines": lambda self, query, gallery: change(Good.lines(self, query, gallery))}


def put(array: np.ndarray, where: Any, value: Any) -> np.ndarray:
    array = array.copy()
    array[where] = value
    return array


def anywhere(self: Good, images: np.ndarray, masks: np.ndarray) -> LocalFeatures:
    return Good.extract(self, images, np.full_like(masks, 255))


def in_the_dark(self: Good, images: np.ndarray, masks: np.ndarray) -> LocalFeatures:
    return Good.extract(self, np.maximum(images, 1), masks)


NUMBERS = count()
FIRST = (slice(None), 0)
BROKEN = {
    "builds nothing": ({"option_build": lambda self, *, device: None}, "built NoneType, which has no 'size'"),
    "lacks lines": ({"lines": property()}, "which has no 'lines'"),
    "other features": (features(lambda f: f.points), "extracted ndarray, not LocalFeatures"),
    "shape": (features(lambda f: replace(f, points=f.points[:, :2])), r"points of \(1, 2, 2\), not \(1, 4, 2\)"),
    "half": (
        features(lambda f: replace(f, descriptors=f.descriptors.astype(np.float32))),
        "descriptors of float32, not float16",
    ),
    "whole counts": (features(lambda f: replace(f, counts=f.counts.astype(float))), "counts of float64, not int64"),
    "many": (features(lambda f: replace(f, counts=f.counts * 9)), "counted 18 points, of 4 at most"),
    "finite": (
        features(lambda f: replace(f, descriptors=put(f.descriptors, FIRST, np.nan))), "that is not finite"
    ),
    "rest": (
        features(lambda f: replace(f, descriptors=put(f.descriptors, (slice(None), 3), 1))),
        "something other than 0 after the last point",
    ),
    "outside": (features(lambda f: replace(f, points=put(f.points, FIRST, 99))), "a point outside the image"),
    "place": (features(lambda f: replace(f, points=put(f.points, FIRST, 1))), "a point beside the animal"),
    "no mask": ({"extract": anywhere}, "a point beside the animal"),
    "random": (
        features(
            lambda f: replace(f, descriptors=put(f.descriptors, FIRST, next(NUMBERS) * f.counts[:, None]))
        ),
        "must not be random",
    ),
    "dark": ({"extract": in_the_dark}, "points in a black image"),
    "no floats": (scores(lambda s, *_: s.astype(int)), r"no array of \(3,\) floats"),
    "one score": (scores(lambda s, *_: s[:1]), r"no array of \(3,\) floats"),
    "negative": (scores(lambda s, *_: s - 1), "a score that is not 0 or above"),
    "infinite": (scores(lambda s, *_: s / 0.0), "a score that is not 0 or above"),
    "unlike": (scores(lambda s, *_: 100 - s), "lower with itself than with another"),
    "empty image": (scores(lambda s, *_: s + 1), "a score above 0 to an image without points"),
    "empty query": (
        scores(lambda s, query, gallery: s if query.counts[0] else 1.0 * gallery.counts),
        "a query without points above 0",
    ),
    "beside": (scores(lambda s, *_: s / max(len(s), 1)), "otherwise alone than beside other pairs"),
    "one way": (
        scores(lambda s, query, gallery: s * (1 + query.descriptors[0, 0, 3] * (s < 100))),
        "said to be symmetric",
    ),
    "nobody": (scores(lambda s, *_: s if len(s) else np.zeros(1)), r"an empty gallery as \(0,\)"),
    "four numbers": (lines(lambda one: one[:, :4]), r"no array of \(M, 5\)"),
    "no line": (lines(lambda one: one[:0]), "no line between an image and itself"),
    "far line": (lines(lambda one: one + np.array([0, 0, 32, 0, 0])), "ends outside the images"),
    "unsure": (lines(lambda one: one * [1, 1, 1, 1, 2]), "confidence that is not above 0 and at most 1"),
    "order": (lines(lambda one: one[::-1]), "the surest line first"),
    "blind line": (
        lines(lambda one: one if len(one) else np.ones((1, 5), np.float32)), "a line from an image without points"
    ),
    "fingerprint": ({"option_fingerprint": lambda self: ""}, "a fingerprint that is no text"),
}  # fmt: skip


def test_a_good_matcher_passes() -> None:
    check_option(matcher())


@pytest.mark.parametrize("rule", BROKEN)
@np.errstate(all="ignore")
def test_a_matcher_that_breaks_a_rule_is_told_which(rule: str) -> None:
    members, words = BROKEN[rule]
    with pytest.raises(AssertionError, match=words) as caught:
        check_option(matcher(**members))
    assert "matcher colour" in str(caught.value)


@pytest.mark.parametrize(
    ("fuse", "words"),
    [
        (lambda p: p.mean(), "no array"),
        (lambda p: p.mean(axis=1), "no array"),
        (lambda p: p.sum(axis=0) + 1, "not between 0 and 1"),
        (lambda p: np.random.default_rng().uniform(size=p.shape[1]), "is random"),
        (lambda p: 1 - p.mean(axis=0), "below one that no score says is more probable"),
        (lambda p: np.multiply(p, 0.5, out=p).mean(axis=0), "changed the probabilities"),
    ],
)
def test_fusions(fuse: Callable[[np.ndarray], Any], words: str) -> None:
    class Mine(Fusion):
        """Some fusion."""

        name = "mine"

        def fuse(self, *, probabilities: np.ndarray) -> Any:
            return fuse(probabilities)

    with pytest.raises(AssertionError, match=words):
        check_option(Mine())


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (lambda q, c: (c @ q)[:, None], "no array"),
        (lambda q, c: c @ q + 2, "not between -1 and 1"),
        (lambda q, c: np.random.default_rng().uniform(size=len(c)), "is random"),
    ],
)
def test_rerankers(again: Callable[[np.ndarray, np.ndarray], Any], words: str) -> None:
    class Mine(Reranker):
        """Some re-ranker."""

        name = "mine"
        reach: int = Field(5, description="how far")

        def rerank(self, *, query: np.ndarray, candidates: np.ndarray) -> Any:
            return again(query, candidates)

    with pytest.raises(AssertionError, match=words):
        check_option(Mine())
