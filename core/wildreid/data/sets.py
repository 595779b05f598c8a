"""Rows in sets: numbered by equal values, linked by keys and edges, named by what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Codes = NDArray[np.int64]
Texts = NDArray[Any]


def codes(values: Any) -> Codes:
    """Numbers that are equal where the values are, in the values' order; -1 where one is missing."""
    return _numbered(values)[0].astype(np.int64)


def join(count: int, keys: Iterable[Codes] = (), edges: Iterable[tuple[Codes, Codes]] = ()) -> Codes:
    """Number the sets of rows that are linked: by an equal key (-1 links nothing) or by an edge.

    Args:
        count: how many rows.
        keys: each (count,).
        edges: each two arrays of row positions.

    Returns:
        (count,) the number of each row's set.
    """
    left, right, nodes = [], [], count
    for key in keys:
        rows = np.flatnonzero(key >= 0)
        left.append(rows)
        right.append(key[rows] + nodes)
        nodes += int(key.max(initial=-1)) + 1
    for a, b in edges:
        left.append(a)
        right.append(b)
    if not left:
        return np.arange(count)
    ends = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1][:count], np.int64)


def both(a: Codes, b: Codes, where: NDArray[np.bool_]) -> Codes:
    """One number for each pair of numbers, -1 elsewhere."""
    paired = a * (b.max(initial=0) + 1) + b
    numbered = np.full(len(a), -1, np.int64)
    numbered[where] = np.unique(paired[where], return_inverse=True)[1]
    return numbered


def least(sets: Codes, names: Texts) -> Texts:
    """The first name, in the order of text, in each row's set: a set's own name, whatever the rows' order."""
    number, values = _numbered(names)
    first = np.full(sets.max(initial=0) + 1, len(values), np.int64)
    np.minimum.at(first, sets, number)
    return np.asarray(values, object)[first[sets]] if len(names) else names


def _numbered(values: Any) -> tuple[NDArray[np.intp], Any]:
    """The place of each value among all that there are, in their order, and these."""
    if not isinstance(values, pd.Series) or values.dtype != "string":
        values = np.asarray(values, dtype=object)
        if pd.api.types.infer_dtype(values, skipna=True) == "string":
            values = pd.array(values, dtype="string")  # whose texts are sorted without Python
    return pd.factorize(values, sort=True)
