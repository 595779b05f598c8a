"""How alike each query is to each individual: exactly, or by an index whose recall was checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import faiss
import numpy as np

from wildreid.gallery.index import Inverted, open_index
from wildreid.gallery.state import GONE, State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

BLOCK = 16_384
"""Gallery images compared at once: their scores for a batch of queries stay in the processor's cache."""
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
    def _blocks(self) -> list[_Block]:
        return list(_blocks(self.state, 0))

    @cached_property
    def _index(self) -> tuple[Inverted, list[_Block]] | None:
        """The index and the rows that came after it; None where the gallery is small enough to do without."""
        if self.exact or self.state.manifest.rows <= self.state.manifest.exact_up_to:
            return None
        index = open_index(self.state)
        return (index, list(_blocks(self.state, index.rows))) if index else None

    def similarity(self, queries: Floats) -> Floats:
        """The similarity of each query to each individual: S(q, i), the maximum over i's images.

        With an index, an individual none of whose images was found stands at the similarity of the last
        image that was.

        Args:
            queries: (Q, width) unit length.

        Returns:
            (Q, individuals); -inf for one without an image.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        best = np.full((len(self.state.individuals), len(queries)), -np.inf, np.float32)
        blocks = self._blocks if self._index is None else self._index[1]
        for block, found in zip(blocks, _each(blocks, queries), strict=True):
            best[block.codes] = np.maximum(best[block.codes], found)
        best = np.ascontiguousarray(best.T)
        if self._index is not None:
            self._index[0].raise_to(best, queries, self.state.codes)
        return best

    def exemplars(self, query: Floats, individual: str, count: int) -> list[tuple[int, float]]:
        """An individual's images most like a query, each of another encounter: their rows and scores."""
        rows = self.state.rows_of(individual)
        scores = self.state.embeddings(rows) @ query
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


def _blocks(state: State, first: int) -> Iterator[_Block]:
    """All rows from `first` on, as blocks."""
    start = 0
    for matrix in state.matrices:
        for low in range(max(0, first - start), len(matrix), BLOCK):
            embeddings = matrix[low : low + BLOCK]
            codes = state.codes[start + low : start + low + len(embeddings)]
            order = np.argsort(codes, kind="stable")[np.count_nonzero(codes == GONE) :]
            if len(order):
                there, starts = np.unique(codes[order], return_index=True)
                yield _Block(embeddings, order, starts, there.astype(np.int64))
        start += len(matrix)
