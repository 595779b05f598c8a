"""Near duplicates: images of one identity whose perceptual hashes hardly differ."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]

_NARROW = 8  # bits from which on bands are too narrow to help


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
    """Pairs of distinct hashes of one owner, found without comparing all with all.

    Hashes that differ by at most b bits are the same in one of b + 1 bands of bits at least, so only those that
    share a band are compared. Many bands are narrow and shared by many: then there is one, of no bits.
    """
    found = []
    edges = np.linspace(0, 64, bits + 2).astype(int).tolist() if bits < _NARROW else [0, 0]
    bands = [_band(value, low, high) for low, high in itertools.pairwise(edges)]
    for number, band in enumerate(bands):
        order = np.lexsort((band, owner))
        ordered, sorted_band, whose = value[order], band[order], owner[order]
        at, step = np.arange(len(order) - 1), 1
        while len(at):
            beside = at + step
            together = (whose[beside] == whose[at]) & (sorted_band[beside] == sorted_band[at])
            at, beside = at[together], beside[together]
            near = np.bitwise_count(ordered[at] ^ ordered[beside]) <= bits
            one, other = order[at[near]], order[beside[near]]
            new = np.ones(len(one), bool)  # a pair that shares several bands is taken from the first
            for earlier in bands[:number]:
                new &= earlier[one] != earlier[other]
            found.append((row[one[new]], row[other[new]]))
            step += 1
            at = at[at + step < len(order)]
    return found


def _band(value: NDArray[np.uint64], low: int, high: int) -> NDArray[np.uint64]:
    return (value >> np.uint64(low)) & np.uint64(2 ** (high - low) - 1)
