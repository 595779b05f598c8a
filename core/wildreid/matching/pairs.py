"""Scores of pairs of images: each pair is matched once, and its score kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from wildreid.matching.kept import KeptScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints
    from wildreid.matching.local import Featured

FORM = 1
"""Of the scores that are kept; a change of how pairs are scored makes new ones."""
WRITTEN = 2.0
"""Seconds after which scores are written, at the latest; a killed run does these again."""


class PairScores:
    """The scores of pairs of one matcher's features, kept in a file, or in memory alone.

    Args:
        local: the features.
        cache: the folder of caches; the scores are in its ``matches`` folder. None: they are kept until it is left.
        cache_gib: the most that the file may take.
        known: without a cache, scores by key that are known already, to which others are added.

    Attributes:
        matched: pairs that were matched, and not found.
        seconds: that they took.

    Raises:
        UserError: the cache cannot be read or written.
    """

    def __init__(
        self,
        local: Featured,
        cache: Path | None,
        *,
        cache_gib: float = 50.0,
        known: dict[bytes, float] | None = None,
    ) -> None:
        self.local = local
        self.matched, self.seconds = 0, 0.0
        self._new: dict[bytes, float] = {} if known is None else known
        self._since = time.monotonic()
        self._kept: KeptScores | None = None
        if cache is not None:
            file = cache / "matches" / f"{local.option.name}.sqlite"
            self._kept = KeptScores(file, limit=int(cache_gib * 2**30))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()
        if self._kept is not None:
            self._kept.__exit__(*error)

    def of(self, query: int, rows: Ints) -> NDArray[np.float64]:
        """(N,) the scores of one row with others; those without points score 0."""
        keys = [self._key(query, int(row)) for row in rows]
        known = self._known(keys)
        counts = self.local.counts
        if not counts[query]:
            return np.zeros(len(rows))
        for row in np.flatnonzero(counts[rows] == 0):
            known[keys[row]] = 0.0
        missing = {key: int(row) for key, row in zip(keys, rows, strict=True) if key not in known}
        if missing:
            known |= self._match(query, missing)
        return np.array([known[key] for key in keys], np.float64)

    def _match(self, query: int, missing: dict[bytes, int]) -> dict[bytes, float]:
        start = time.perf_counter()
        others = list(missing.values())
        if not self.local.matcher.symmetric:
            scores = self.local.matcher.score(self.local.take([query]), self.local.take(others))
        else:  # always the same of the two asks, so that nothing depends on which was met first
            scores = np.empty(len(others))
            first = np.array([self.local.key(query) <= self.local.key(other) for other in others], bool)
            own, rest = self.local.take([query]), self.local.take(others)
            scores[first] = self.local.matcher.score(own, rest.take(first)) if first.any() else 0
            for at in np.flatnonzero(~first):
                scores[at] = self.local.matcher.score(rest.take([at]), own)[0]
        found = dict(zip(missing, scores.tolist(), strict=True))
        self.matched += len(found)
        self.seconds += time.perf_counter() - start
        self._new |= found
        if time.monotonic() - self._since > WRITTEN:
            self._write()
        return found

    def _key(self, query: int, other: int) -> bytes:
        a, b = self.local.key(query), self.local.key(other)
        if self.local.matcher.symmetric and b < a:
            a, b = b, a
        return hashlib.blake2b(a + b, digest_size=16, salt=bytes([FORM])).digest()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, float]:
        known = {key: self._new[key] for key in keys if key in self._new}
        if self._kept is not None:
            known |= self._kept.find([key for key in keys if key not in known])
        return known

    def _write(self) -> None:
        self._since = time.monotonic()
        if self._kept is not None:
            self._kept.add(self._new)
            self._new = {}
