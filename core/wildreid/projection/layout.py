"""Embeddings to two dimensions by UMAP, from nothing or from the positions of the picture before."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints

FEWEST = 8
"""Fewer photos make no map."""
NEIGHBOURS = 15
NEAREST = 0.1
"""How near points may lie to one another on the map, as UMAP's `min_dist`."""
STEPS, RATE = 50, 0.3
"""Rounds and learning rate from the positions of the picture before; UMAP's own from nothing are 500 and 1."""


def layout(embeddings: Floats, *, seed: int, start: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """(n, width) unit-length embeddings to (n, 2) by UMAP, with exact neighbours handed to it.

    The exact neighbours cost a matrix product and spare the import and compilation of the approximate search.

    Args:
        embeddings: at least `FEWEST`.
        seed: of UMAP's own generator; nothing else is drawn from.
        start: (n, 2) positions to go on from, so that a point stays where it is unless it has reason to move.
    """
    near = neighbours(embeddings, min(NEIGHBOURS, len(embeddings) - 1))
    with warnings.catch_warnings(), torch_keeps_its_threads():
        # it says that it has no Tensorflow, and could not lay out new points later: nobody needs them
        warnings.simplefilter("ignore")
        if start is not None and np.ptp(start, axis=0).any():
            return laid_on(_gone_on(embeddings, near, start, seed), start)
        from umap import UMAP

        model = UMAP(
            n_neighbors=near[0].shape[1],
            min_dist=NEAREST,
            metric="cosine",
            init="pca",
            random_state=seed,
            n_jobs=1,
            precomputed_knn=near,
        )
        where = np.asarray(model.fit_transform(embeddings), dtype=np.float64)
    return np.nan_to_num(where)  # embeddings that are all alike have no layout


def _gone_on(
    embeddings: Floats, near: tuple[NDArray[np.int32], Floats], start: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Some rounds more from these positions, by UMAP's own parts.

    The class UMAP would take them as its `init`, and first squeeze them into a box of ten by ten, each axis by
    itself: a map that was wider begins again, and shows another shape.
    """
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, make_epochs_per_sample

    random = np.random.RandomState(seed)
    nearest, far = near
    graph, _, _ = fuzzy_simplicial_set(
        embeddings, nearest.shape[1], random, "cosine", knn_indices=nearest, knn_dists=far
    )
    graph = graph.tocoo()
    a, b = find_ab_params(1.0, NEAREST)
    where = np.array(start, dtype=np.float32, order="C")
    optimize_layout_euclidean(
        where,
        where,
        graph.row,
        graph.col,
        STEPS,
        len(where),
        make_epochs_per_sample(graph.data, STEPS),
        a,
        b,
        random.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64),
        initial_alpha=RATE,
        move_other=True,
    )
    return where.astype(np.float64)


@contextmanager
def torch_keeps_its_threads() -> Iterator[None]:
    """Give torch its number of threads back: numba's pool, which UMAP starts, sets it to the cores there are.

    What trains in this process afterwards would have more threads than it was given, and wait for them.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(before)


def laid_on(xy: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions turned, mirrored and shifted, not stretched, to lie as near as can be to those before.

    A layout means the same however it is turned, and drifts as a whole while it is made. The turn is the
    orthogonal Procrustes solution: Schönemann, Psychometrika 31 (1966).
    """
    middle = xy.mean(axis=0)
    left, _, right = np.linalg.svd((xy - middle).T @ (start - start.mean(axis=0)))
    turned: NDArray[np.float64] = (xy - middle) @ (left @ right)
    turned += start.mean(axis=0)
    return turned


def neighbours(embeddings: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
    """Each point's `count` nearest by cosine distance, itself first, as UMAP wants them."""
    nearest: list[Ints] = []
    far = []
    for start in range(0, len(embeddings), 1024):
        block = slice(start, start + 1024)
        distance = 1 - embeddings[block] @ embeddings.T
        distance[np.arange(len(distance)), np.arange(start, start + len(distance))] = -1
        part = np.argpartition(distance, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(distance, part, 1), axis=1, kind="stable")
        nearest.append(np.take_along_axis(part, order, 1))
        far.append(np.take_along_axis(distance, nearest[-1], 1).clip(0))
    return np.concatenate(nearest).astype(np.int32), np.concatenate(far).astype(np.float32)
