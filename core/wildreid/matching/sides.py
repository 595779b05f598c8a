"""The two sides of a ranking, and the rankings that any scores give: who may answer stands in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import TIE, Ranking
from wildreid.evaluation.protocols import matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.apart import Apart
    from wildreid.artefacts import Floats, Ints
    from wildreid.data.table import Table

BLOCK = 256
"""Queries whose similarities are held at once."""


@dataclass(frozen=True)
class Sides:
    """Queries, gallery and masks of one protocol, as `wildreid.evaluation.rank` has them.

    Attributes:
        protocol: its name.
        queries: (Q,) rows of the queries.
        gallery: (G,) rows of the gallery, by individual and then by id, so that no result depends on row order.
        listed: (G,) the same rows in table order.
        names: identities of the gallery, sorted.
        whose: (G,) the place of each gallery image's identity in `names`.
        own: (Q,) the place of each query's identity, -1 where it is not in the gallery.
        encounters: (rows,) a number for each row's encounter.
        across: whether images of a query's own encounter are masked.
        apart: which rows may not be matched whoever they show; None: all may.
    """

    protocol: str
    queries: Ints
    gallery: Ints
    listed: Ints
    names: tuple[str, ...]
    whose: Ints
    own: Ints
    encounters: Ints
    across: bool
    apart: Apart | None = None

    @classmethod
    def of(cls, table: Table, protocol: str, *, part: str, gallery: Sequence[str] = ()) -> Sides:
        """As `wildreid.evaluation.protocols.matching` chooses them."""
        sides = matching(table, protocol, part=part, gallery=gallery)
        identities = table["identity"].fillna("").to_numpy(dtype=str)
        names, whose = np.unique(identities[sides.gallery], return_inverse=True)
        order = np.lexsort((pd.factorize(table["id"], sort=True)[0][sides.gallery], whose))
        return cls(
            protocol,
            sides.queries,
            sides.gallery[order],
            sides.gallery,
            tuple(names.tolist()),
            whose[order],
            pd.Index(names).get_indexer(identities[sides.queries]),
            pd.factorize(table["encounter"])[0],
            sides.across,
            sides.apart,
        )

    def __len__(self) -> int:
        return len(self.queries)

    def same(self, query: int) -> NDArray[np.bool_]:
        """(G,) whether each gallery image is of the query's own individual."""
        return self.whose == self.own[query] if self.own[query] >= 0 else np.zeros(len(self.gallery), bool)

    def valid(self, query: int) -> NDArray[np.bool_]:
        """(G,) whether the query may be matched to each image: not to itself, its encounter, or another side."""
        row = self.queries[query]
        hidden = self.gallery == row
        if self.across:
            hidden = hidden | (self.encounters[self.gallery] == self.encounters[row])
        valid: NDArray[np.bool_] = ~(hidden & self.same(query))
        if self.apart is not None:
            valid &= ~self.apart.banned(np.array([row]), self.gallery)[0]
        return valid

    def listing(self, scores: Callable[[int], NDArray[np.float64]]) -> Callable[[Ints], NDArray[np.float64]]:
        """From places among the queries to (n, G) of these scores, the gallery in table order."""
        order = np.argsort(self.gallery)  # rows in table order are rising

        def listed(queries: Ints) -> NDArray[np.float64]:
            return np.stack([scores(int(query))[order] for query in queries])

        return listed

    def similarities(self, embeddings: Floats) -> Similarities:
        """Cosine similarity of queries and gallery."""
        return Similarities(self, embeddings)


class Similarities:
    """(G,) cosine similarities by query, computed block by block.

    Args:
        sides: of the ranking.
        embeddings: (rows, width) of unit length.
    """

    def __init__(self, sides: Sides, embeddings: Floats) -> None:
        self._sides, self._embeddings = sides, embeddings
        self._gallery = np.ascontiguousarray(embeddings[sides.gallery], dtype=np.float32)
        self._start, self._block = -1, np.empty((0, 0))

    def __call__(self, query: int) -> NDArray[np.float64]:
        """(G,) for the query at this place."""
        start = query // BLOCK * BLOCK
        if start != self._start:
            asked = np.ascontiguousarray(
                self._embeddings[self._sides.queries[start : start + BLOCK]], dtype=np.float32
            )
            self._start, self._block = start, (asked @ self._gallery.T).astype(np.float64)
        found: NDArray[np.float64] = self._block[query - start].copy()
        return found

    def vectors(self, query: int, places: Ints) -> tuple[Floats, Floats]:
        """The embedding of a query, and those at these places of the gallery."""
        asked: Floats = np.asarray(self._embeddings[self._sides.queries[query]], np.float32)
        return asked, self._gallery[places]


def ranking_of(sides: Sides, scores: Callable[[int], NDArray[np.float64]], *, keep: int) -> Ranking:
    """The ranking that scores give; for cosine similarities, what `wildreid.evaluation.rank` gives.

    Args:
        sides: queries, gallery and masks.
        scores: from a query's place to (G,) scores of the gallery; those of masked images are not looked at.
        keep: individuals and images to keep for each query.
    """
    found = [_ranked(sides, query, scores(query), keep) for query in range(len(sides))]
    columns: dict[str, Any] = {
        name: np.array([one[name] for one in found], kind).reshape(len(found), *shape)
        for name, (kind, shape) in _forms(keep).items()
    }
    true = [one["true_ranks"] for one in found]
    return Ranking(
        protocol=sides.protocol,
        queries=sides.queries,
        gallery=sides.listed,
        individuals=sides.names,
        true_ranks=np.concatenate([np.empty(0, np.int32), *true]).astype(np.int32),
        true_offsets=np.concatenate([[0], np.cumsum([len(one) for one in true])]).astype(np.int64),
        **columns,
    )


def _forms(keep: int) -> dict[str, tuple[Any, tuple[int, ...]]]:
    whole, single = (keep,), ()
    return {
        "top": (np.int64, whole), "top_scores": (np.float32, whole), "top_rows": (np.int64, whole),
        "top_images": (np.int64, whole), "top_image_scores": (np.float32, whole),
        "own_rank": (np.int64, single), "own_score": (np.float32, single),
        "impostor_score": (np.float32, single), "valid": (np.int64, single), "masked": (np.int64, single),
    }  # fmt: skip


def _ranked(sides: Sides, query: int, scores: NDArray[np.float64], keep: int) -> dict[str, Any]:
    """One query's part of a ranking; its own images stand behind all that are tied with them."""
    valid, same = sides.valid(query), sides.same(query)
    own = np.flatnonzero(valid & same)
    own = own[np.argsort(-scores[own], kind="stable")]
    others = np.flatnonzero(valid & ~same)
    falling = others[np.argsort(-scores[others], kind="stable")]
    ahead = np.searchsorted(-scores[falling], -(scores[own] - TIE), side="right")
    images = np.insert(falling[: keep + 1], np.minimum(ahead, len(falling[: keep + 1])), own)[:keep]
    first = falling[
        np.sort(np.unique(sides.whose[falling], return_index=True)[1])
    ]  # the best of each individual
    rank = 0
    best = first
    if len(own):
        rank = int(np.searchsorted(-scores[first], -(scores[own[0]] - TIE), side="right")) + 1
        best = np.insert(first, rank - 1, own[0])
    best = best[:keep]
    return {
        "top": _padded(sides.whose[best], keep, -1),
        "top_scores": _padded(scores[best], keep, -np.inf),
        "top_rows": _padded(sides.gallery[best], keep, -1),
        "top_images": _padded(sides.gallery[images], keep, -1),
        "top_image_scores": _padded(scores[images], keep, -np.inf),
        "own_rank": rank,
        "own_score": scores[own[0]] if len(own) else np.nan,
        "impostor_score": scores[first[0]] if len(first) else -np.inf,
        "valid": int(valid.sum()),
        "masked": int((~valid & (sides.gallery != sides.queries[query])).sum()),
        "true_ranks": ahead + np.arange(1, len(own) + 1),
    }


def _padded(values: NDArray[Any], keep: int, end: float) -> NDArray[Any]:
    return np.concatenate([values, np.full(keep - len(values), end, values.dtype)])
