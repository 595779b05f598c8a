"""Near duplicates: images of one identity whose perceptual hashes hardly differ."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]

_BLOCK = 4_000_000  # pairs compared at once: 32 MB of differences


def near_duplicates(who: Codes, hashes: pd.Series[Any], *, bits: int) -> tuple[Codes, Codes]:
    """Pairs of rows of one identity whose hashes differ by at most so many bits.

    Equal hashes are chained rather than all paired, so connected components are right while the number of
    pairs stays small.

    Args:
        who: (rows,) the identity as a number, -1 where it is not known: such a row is in no pair.
        hashes: (rows,) 16 hexadecimal digits, or missing.
        bits: the largest Hamming distance.

    Returns:
        Two arrays of row positions, the pairs.
    """
    usable = np.flatnonzero(hashes.notna().to_numpy() & (who >= 0))
    if len(usable) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    text = "".join(hashes.iloc[usable].str.zfill(16))
    value = np.frombuffer(bytes.fromhex(text), ">u8").astype(np.uint64)
    order = np.lexsort((value, who[usable]))
    row, value, owner = usable[order], value[order], who[usable][order]
    same = (value[1:] == value[:-1]) & (owner[1:] == owner[:-1])
    pairs = [(row[:-1][same], row[1:][same])]
    if bits:
        single = np.concatenate(([True], ~same))
        pairs += _within(row[single], value[single], owner[single], bits)
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def _within(row: Codes, value: NDArray[np.uint64], owner: Codes, bits: int) -> list[tuple[Codes, Codes]]:
    """Compare distinct hashes, sorted by owner, all with all inside each owner, a block at a time."""
    found = []
    begins = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1], [True])))
    for begin, end in itertools.pairwise(begins):
        mine = value[begin:end]
        step = max(1, _BLOCK // len(mine))
        for top in range(0, len(mine) - 1, step):
            differing = np.bitwise_count(mine[top : top + step, None] ^ mine[None, top + 1 :])
            a, b = np.nonzero(differing <= bits)
            later = b >= a  # column b is hash top + 1 + b: each pair once, none with itself
            found.append((row[begin + top + a[later]], row[begin + top + 1 + b[later]]))
    return found
