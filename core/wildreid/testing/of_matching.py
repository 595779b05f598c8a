"""What options between ranking and scores must give: matchers, fusions, re-rankers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wildreid.artefacts import LocalFeatures
from wildreid.testing.hold import built, hold


def check_matcher(option: Any) -> None:
    """Features of the form that is kept, on the animal alone, and scores of pairs that depend on the pair alone."""
    made = option.build(device="cpu")
    built(made, option, members="size points width symmetric extract score lines")
    images, masks = _patterns(made.size)
    found = [made.extract(images[n : n + 1], masks[n : n + 1]) for n in range(len(images))]
    for one, mask in zip(found, masks, strict=True):
        _check_features(option, made, one, mask)
    again = made.extract(images[:1], masks[:1])
    hold(_same(again, found[0]), option, "found other points in the same image; it must not be random")
    hold(
        not found[2].counts[0],
        option,
        "found points in a black image or where the mask shows no animal",
    )
    gallery = LocalFeatures(*(np.concatenate(parts) for parts in zip(*map(_arrays, found), strict=True)))
    scores = made.score(found[0], gallery)
    hold(
        isinstance(scores, np.ndarray) and scores.shape == (len(images),) and scores.dtype.kind == "f",
        option,
        f"gave scores that are no array of ({len(images)},) floats, one for each gallery image",
    )
    hold(np.isfinite(scores).all() and (scores >= 0).all(), option, "gave a score that is not 0 or above")
    hold(scores[0] >= scores.max(), option, "scored an image lower with itself than with another")
    hold(scores[2] == 0, option, "gave a score above 0 to an image without points")
    hold(not made.score(gallery.take([2]), gallery).any(), option, "scored a query without points above 0")
    alone = [made.score(found[0], one)[0] for one in found]
    hold(np.array_equal(alone, scores), option, "scored a pair otherwise alone than beside other pairs")
    if made.symmetric:
        back = made.score(found[1], found[0])[0]
        hold(
            back == scores[1],
            option,
            "is said to be symmetric, and scored a pair otherwise the other way round",
        )
    hold(
        made.score(found[0], gallery.take([])).shape == (0,), option, "did not score an empty gallery as (0,)"
    )
    _check_lines(option, made, found)
    words = option.fingerprint()
    hold(isinstance(words, str) and words, option, "gave a fingerprint that is no text")


def _check_lines(option: Any, made: Any, found: list[LocalFeatures]) -> None:
    lines = made.lines(found[0], found[0])
    hold(
        isinstance(lines, np.ndarray) and lines.ndim == 2 and lines.shape[1] == 5,
        option,
        "gave lines that are no array of (M, 5): x, y, x, y, confidence",
    )
    hold(len(lines), option, "gave no line between an image and itself")
    ends = lines[:, :4]
    hold((ends >= 0).all() and (ends < made.size).all(), option, "drew a line that ends outside the images")
    sure = lines[:, 4]
    hold(
        (sure > 0).all() and (sure <= 1).all(), option, "gave a confidence that is not above 0 and at most 1"
    )
    hold((np.diff(sure) <= 0).all(), option, "did not give the surest line first")
    hold(not len(made.lines(found[2], found[0])), option, "drew a line from an image without points")


def _check_features(option: Any, made: Any, one: Any, mask: Any) -> None:
    hold(isinstance(one, LocalFeatures), option, f"extracted {type(one).__name__}, not LocalFeatures")
    forms = {"points": (1, made.points, 2), "descriptors": (1, made.points, made.width), "counts": (1,)}
    for name, shape in forms.items():
        array = getattr(one, name)
        hold(np.shape(array) == shape, option, f"gave {name} of {np.shape(array)}, not {shape}")
        kind = np.int64 if name == "counts" else np.float16
        hold(array.dtype == kind, option, f"gave {name} of {array.dtype}, not {np.dtype(kind)}")
    count = int(one.counts[0])
    hold(0 <= count <= made.points, option, f"counted {count} points, of {made.points} at most")
    hold(
        np.isfinite(one.points).all() and np.isfinite(one.descriptors).all(),
        option,
        "gave a point or descriptor that is not finite",
    )
    hold(
        not one.points[0, count:].any() and not one.descriptors[0, count:].any(),
        option,
        "left something other than 0 after the last point",
    )
    x, y = np.rint(one.points[0, :count].astype(float)).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < made.size) & (y < made.size)
    hold(inside.all(), option, "found a point outside the image")
    hold((mask[y, x] > 127).all(), option, "found a point beside the animal, where the mask is not over 127")


def _patterns(size: int) -> tuple[Any, Any]:
    """Two animals of blotches in the middle, and a black image; masks of the middle."""
    random = np.random.default_rng(0)
    images = np.zeros((3, size, size, 3), np.uint8)
    for image in images[:2]:
        blotches = (
            random.integers(0, 2, (24, 24)).repeat(-(-size // 24), axis=0).repeat(-(-size // 24), axis=1)
        )
        image[:] = 40 + 170 * blotches[:size, :size, None].astype(np.uint8)
    masks = np.zeros((3, size, size), np.uint8)
    masks[:, size // 4 : -size // 4, size // 4 : -size // 4] = 255
    return images, masks


def _arrays(features: LocalFeatures) -> tuple[Any, Any, Any]:
    return features.points, features.descriptors, features.counts


def _same(a: LocalFeatures, b: LocalFeatures) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(_arrays(a), _arrays(b), strict=True))


def check_fusion(option: Any) -> None:
    """One score in [0, 1] a candidate, the same each time, which no probability that rises makes lower."""
    random = np.random.default_rng(0)
    for scores, candidates in ((2, 30), (3, 7), (1, 4), (2, 1), (2, 0)):
        given = random.uniform(size=(scores, candidates))
        kept = given.copy()
        fused = option.fuse(probabilities=given)
        hold(
            isinstance(fused, np.ndarray) and fused.shape == (candidates,) and fused.dtype.kind == "f",
            option,
            f"gave no array of ({candidates},) floats, one for each candidate",
        )
        hold(np.array_equal(given, kept), option, "changed the probabilities that it was given")
        hold(((fused >= 0) & (fused <= 1)).all(), option, "gave a score that is not between 0 and 1")
        hold(np.array_equal(option.fuse(probabilities=given), fused), option, "is random; it must not be")
        above = (given[:, :, None] >= given[:, None, :]).all(axis=0)
        lower = fused[:, None] < fused[None, :] - 1e-9
        hold(
            not (above & lower).any(),
            option,
            "ranked a candidate below one that no score says is more probable",
        )


def check_reranker(option: Any) -> None:
    """A similarity in [-1, 1] a candidate, the same each time."""
    hold(
        isinstance(option.reach, int) and option.reach > 0, option, "has no reach, the candidates it is given"
    )
    random = np.random.default_rng(0)
    for candidates in (30, 3, 1):
        vectors = random.normal(size=(candidates + 1, 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        query, rest = vectors[0], vectors[1:]
        rest = rest[np.argsort(-(rest @ query))]
        given = {"query": query, "candidates": rest}
        found = option.rerank(**given)
        hold(
            isinstance(found, np.ndarray) and found.shape == (candidates,) and found.dtype.kind == "f",
            option,
            f"gave no array of ({candidates},) floats, one for each candidate",
        )
        hold((np.abs(found) <= 1 + 1e-9).all(), option, "gave a similarity that is not between -1 and 1")
        hold(np.array_equal(option.rerank(**given), found), option, "is random; it must not be")
