from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wildreid.data import duplicates
from wildreid.data.duplicates import near_duplicates
from wildreid.data.sets import join


@pytest.mark.parametrize("bits", [0, 1, 4, 16])
@pytest.mark.parametrize("narrow", [0, 8, 17])
def test_the_pairs_join_what_comparing_all_with_all_joins(
    bits: int, narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "_NARROW", narrow)  # 0: one band, all compared with all
    random = np.random.default_rng(bits)
    who = random.integers(-1, 4, 120)
    hashes = random.integers(0, 2**10, 120, dtype=np.uint64) * np.uint64(0x1001001001)
    text = pd.Series([f"{value:016x}" for value in hashes], dtype="string")
    text[random.random(120) < 0.1] = pd.NA
    found = join(120, edges=[near_duplicates(who, text, bits=bits)])
    value = [None if who[n] < 0 or text[n] is pd.NA else int(text[n], 16) for n in range(120)]
    alike = [
        (a, b)
        for a in range(120)
        for b in range(120)
        if who[a] == who[b] and None not in (value[a], value[b]) and (value[a] ^ value[b]).bit_count() <= bits
    ]
    expected = join(120, edges=[tuple(np.array(alike).T)])
    assert ((found[:, None] == found[None, :]) == (expected[:, None] == expected[None, :])).all()


def test_nothing_is_like_nothing() -> None:
    a, b = near_duplicates(np.array([0, 0]), pd.Series([pd.NA, pd.NA], dtype="string"), bits=4)
    assert len(a) == len(b) == 0
