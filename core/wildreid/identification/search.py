"""How alike each query is to each individual: exactly, or by an index whose recall was checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.apart import sides_of
from wildreid.gallery.fold import GONE
from wildreid.gallery.index import Inverted, open_index
from wildreid.gallery.state import State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

BLOCK = 16_384
"""Gallery images compared at once: their scores for a batch of queries stay in the processor's cache."""
Tags = tuple[str, ...]
FEW = 4
"""Queries up to which one after the other is faster than a product of matrices."""


@dataclass(frozen=True)
class _Block:
    """Some rows of one segment: in the order of their individuals, those removed left out."""

    embeddings: Floats
    order: Ints
    starts: Ints
    codes: Ints


@dataclass(frozen=True, eq=False)
class Search:
    """Compares queries with all individuals of one state of a gallery; safe to use from many threads.

    Attributes:
        state: the gallery.
        exact: never use an index.
    """

    state: State
    exact: bool = False

    @cached_property
    def _index(self) -> Inverted | None:
        """None where the gallery is small enough to do without."""
        if self.exact or self.state.manifest.rows <= self.state.manifest.exact_up_to:
            return None
        return open_index(self.state)

    @cached_property
    def _sought(self) -> dict[Tags, tuple[NDArray[np.int32], list[_Block]]]:
        """For queries of these tags: who each row may be found as, and the rows that no index covers."""
        return {}

    def seen_as(self, asked: pd.DataFrame) -> list[NDArray[np.int32]]:
        """For each row that is asked about, (N,) who each image may be found as by it; `GONE`: as nobody."""
        tags = list(zip(*tags_of(asked, self.state.manifest.apart), strict=True)) or [()] * len(asked)
        known = {one: self._codes(tuple(map(str, one))) for one in set(tags)}
        return [known[one] for one in tags]

    def _codes(self, tags: Tags) -> NDArray[np.int32]:
        codes = self.state.codes
        if banned := [own != tag for own, tag in zip(self._tags, tags, strict=True) if tag]:
            known = [own != "" for own, tag in zip(self._tags, tags, strict=True) if tag]
            apart = np.any([a & b for a, b in zip(banned, known, strict=True)], axis=0)
            codes = np.where(apart, np.int32(GONE), codes).astype(np.int32)
        return codes

    def _seeking(self, tags: Tags) -> tuple[NDArray[np.int32], list[_Block]]:
        if tags not in self._sought:
            codes = self._codes(tags)
            first = self._index.rows if self._index else 0
            self._sought[tags] = codes, list(_blocks(self.state, codes, first))
        return self._sought[tags]

    @cached_property
    def _tags(self) -> list[NDArray[np.str_]]:
        """Of each row what keeps it apart, by the gallery's ``apart``; empty texts match all."""
        return tags_of(self.state.rows, self.state.manifest.apart)

    @cached_property
    def gallery(self) -> Ints:
        """(G,) the rows that there are, by individual and then by key."""
        rows = np.flatnonzero(self.state.codes != GONE)
        return rows[np.lexsort((self.state.keys[rows].astype(str), self.state.codes[rows]))]

    def each(self, queries: Floats) -> Floats:
        """(Q, G) cosine similarity to each image in `gallery`, whoever may be matched to it."""
        found = np.empty((len(queries), len(self.gallery)), np.float32)
        position = np.empty(len(self.state.codes), np.int64)
        position[self.gallery] = np.arange(len(self.gallery))
        columns, start = np.ascontiguousarray(queries.T), 0
        for matrix in self.state.matrices:
            for low in range(0, len(matrix), BLOCK):
                part = matrix[low : low + BLOCK]
                there = np.flatnonzero(self.state.codes[start + low : start + low + len(part)] != GONE)
                scores = _few(part, queries) if len(queries) <= FEW else part @ columns
                found[:, position[start + low + there]] = scores[there].T
            start += len(matrix)
        return found

    def ready(self) -> None:
        """Do now what the first query would wait for."""
        self._seeking(("",) * len(self._tags))
        state = self.state
        _ = state.row_of, state.met, state.encounters, state.sizes, state.last_seen

    def similarity(self, queries: Floats, asked: pd.DataFrame | None = None) -> Floats:
        """The similarity of each query to each individual: S(q, i), the maximum over i's images.

        With an index, an individual none of whose images was found stands at the similarity of the last
        image that was.

        Args:
            queries: (Q, width) unit length.
            asked: their rows, by whose viewpoint and species some images may not be matched to them; None: all may.

        Returns:
            (Q, individuals); -inf for one without an image that it may be matched to.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        kept_apart = () if asked is None else self.state.manifest.apart
        if not kept_apart or asked is None:
            return self._similarity(queries, ("",) * len(self._tags))
        best = np.full((len(queries), len(self.state.individuals)), -np.inf, np.float32)
        tags = list(zip(*tags_of(asked, kept_apart), strict=True))
        for alike in sorted(set(tags)):
            here = np.array([one == alike for one in tags])
            best[here] = self._similarity(np.ascontiguousarray(queries[here]), tuple(map(str, alike)))
        return best

    def _similarity(self, queries: Floats, tags: Tags) -> Floats:
        codes, blocks = self._seeking(tags)
        best = np.full((len(self.state.individuals), len(queries)), -np.inf, np.float32)
        for block, found in zip(blocks, _each(blocks, queries), strict=True):
            best[block.codes] = np.maximum(best[block.codes], found)
        best = np.ascontiguousarray(best.T)
        if self._index is not None:
            self._index.raise_to(best, queries, codes)
        return best

    def exemplars(
        self, query: Floats, individual: str, count: int, asked: pd.DataFrame | None = None
    ) -> list[tuple[int, float]]:
        """An individual's images most like a query, each of another encounter: their rows and scores.

        ``asked`` is the one row of the query, where images may be kept apart from it.
        """
        rows = self.state.rows_of(individual)
        if asked is not None and self.state.manifest.apart:
            (tags,) = zip(*tags_of(asked, self.state.manifest.apart), strict=True)
            rows = rows[self._seeking(tuple(map(str, tags)))[0][rows] != GONE]
        return self.of_encounters(rows, self.state.embeddings(rows) @ query, count)

    def of_encounters(self, rows: Ints, scores: NDArray[Any], count: int) -> list[tuple[int, float]]:
        """The best of some rows, each of another encounter: rows and scores."""
        chosen: list[tuple[int, float]] = []
        seen: set[int] = set()
        for at in np.argsort(-scores, kind="stable"):
            visit = int(self.state.met[rows[at]])
            if visit not in seen:
                seen.add(visit)
                chosen.append((int(rows[at]), float(scores[at])))
            if len(chosen) == count:
                break
        return chosen


def tags_of(rows: pd.DataFrame, apart: Sequence[str]) -> list[NDArray[np.str_]]:
    """Of each row the texts by which it is kept apart, one array for each of `apart`; empty: from nobody."""
    found = []
    for by in apart:
        name = "viewpoint" if by == "side" else by
        texts = rows.get(name, pd.Series(pd.NA, index=rows.index)).astype("string")
        texts = sides_of(texts) if by == "side" else texts.str.strip().str.casefold()
        found.append(texts.fillna("").to_numpy(dtype=str))
    return found


def _each(blocks: Sequence[_Block], queries: Floats) -> Iterator[Floats]:
    """For each block the (its individuals, Q) best similarities."""
    columns = np.ascontiguousarray(queries.T)

    def best(block: _Block) -> Floats:
        scores = _few(block.embeddings, queries) if len(queries) <= FEW else block.embeddings @ columns
        in_order = np.take(scores, block.order, axis=0, mode="clip")
        return np.maximum.reduceat(in_order, block.starts)

    if len(queries) > FEW or len(blocks) < 2:
        yield from map(best, blocks)  # a product of matrices has threads of its own
        return
    with ThreadPoolExecutor(faiss.omp_get_max_threads()) as pool:
        yield from pool.map(best, blocks)


def _few(embeddings: Floats, queries: Floats) -> Floats:
    """(rows, Q) similarities, a query at a time: as quick as reading the embeddings from memory."""
    scores = np.empty((len(queries), len(embeddings)), np.float32)
    rows, width = embeddings.shape
    for query, out in zip(queries, scores, strict=True):
        faiss.fvec_inner_products_ny(  # type: ignore[attr-defined]
            faiss.swig_ptr(out), faiss.swig_ptr(query), faiss.swig_ptr(embeddings), width, rows
        )
    return scores.T


def _blocks(state: State, codes_of: NDArray[np.int32], first: int) -> Iterator[_Block]:
    """All rows from `first` on that are somebody by `codes_of`, as blocks."""
    start = 0
    for matrix in state.matrices:
        for low in range(max(0, first - start), len(matrix), BLOCK):
            embeddings = matrix[low : low + BLOCK]
            codes = codes_of[start + low : start + low + len(embeddings)]
            order = np.argsort(codes, kind="stable")[np.count_nonzero(codes == GONE) :]
            if len(order):
                there, starts = np.unique(codes[order], return_index=True)
                yield _Block(embeddings, order, starts, there.astype(np.int64))
        start += len(matrix)
