"""What matching would cost here, from a trial of about a second on a drawn photo."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from wildreid.matching.local import TOGETHER, record_size

if TYPE_CHECKING:
    from wildreid.kinds import LocalMatcher
    from wildreid.recipe import Recipe

SECONDS = 0.5
"""That each of the two trials takes, at least."""
PHOTOS = 1000
"""That costs are told for."""


def costs(recipe: Recipe, *, device: str) -> list[str]:
    """One sentence a matcher: its photos and pairs, their seconds and memory; builds and tries each.

    Raises:
        UserError: a matcher lacks something, such as its weights.
    """
    return [_cost(one.name, one.build(device=device), recipe, device) for one in recipe.matchers]


def _cost(name: str, matcher: LocalMatcher, recipe: Recipe, device: str) -> str:
    together = 1 if device == "cpu" else TOGETHER
    shape = (together, matcher.size, matcher.size)
    images = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    masks = np.full(shape, 255, np.uint8)
    found = matcher.extract(images, masks)  # the first call is slower than any other
    photo = _seconds(lambda: matcher.extract(images, masks)) / together
    one = found.take([0])
    gallery = one.take([0] * 16)
    pair = _seconds(lambda: matcher.score(one, gallery)) / len(gallery)
    pairs = PHOTOS * recipe.matching.pairs
    memory = PHOTOS * record_size(matcher) / 2**20
    return (
        f"{name}: {1000 * photo:.0f} ms a photo and {1000 * pair:.2f} ms a pair on {device}; {PHOTOS:,} photos "
        f"take {_time(PHOTOS * photo)} and {memory:.0f} MiB, once; {PHOTOS:,} queries of "
        f"{recipe.matching.pairs} pairs ({pairs:,}) take {_time(pairs * pair)}"
    )


def _seconds(call: object) -> float:
    """The fastest of the calls that fit into the trial."""
    assert callable(call)
    fastest = float("inf")
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - before)
    return fastest


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
