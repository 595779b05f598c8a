from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.core.matching.made import Built, Colour, Pictures

from wildreid.errors import UserError
from wildreid.matching.local import open_local, packed, record_size, unpacked
from wildreid.matching.pairs import PairScores
from wildreid.testing.material import tiny_table

TABLE = tiny_table(individuals=4, encounters=2, burst=2)
EVERY = np.arange(len(TABLE))


def test_features_are_extracted_once(tmp_path: Path) -> None:
    pictures = Pictures(TABLE)
    first = open_local(Colour(), pictures, EVERY[:5], device="cpu", cache=tmp_path)
    assert sorted(pictures.asked) == list(range(5))
    again = open_local(Colour(), pictures, EVERY[:8], device="cpu", cache=tmp_path)
    assert sorted(pictures.asked) == list(range(8))
    assert first.keys[:5] == again.keys[:5]
    assert np.array_equal(first.take([3]).descriptors, again.take([3]).descriptors)
    open_local(Colour(version=2), pictures, EVERY[:5], device="cpu", cache=tmp_path)
    assert len(pictures.asked) == 13


def test_what_has_no_room_in_the_cache_is_extracted_each_time(tmp_path: Path) -> None:
    pictures = Pictures(TABLE, black=[2])
    local = open_local(Colour(), pictures, EVERY, device="cpu", cache=tmp_path, cache_gib=1e-9)
    assert local.counts.tolist() == [int(row != 2) for row in EVERY]
    assert local.take([1, 2]).counts.tolist() == [1, 0]


def test_a_record_is_what_was_packed() -> None:
    pictures, built = Pictures(TABLE), Built()
    images = np.stack([pictures.enlarged(row, built.size) for row in range(3)])
    features = built.extract(images[..., :3], images[..., 3])
    records = packed(features)
    assert records.shape == (3, record_size(built))
    again = unpacked(records, built)
    assert np.array_equal(again.points, features.points)
    assert np.array_equal(again.descriptors, features.descriptors)
    assert np.array_equal(again.counts, features.counts)


def test_no_pair_is_matched_twice(tmp_path: Path) -> None:
    local = open_local(Colour(), Pictures(TABLE), EVERY, device="cpu", cache=tmp_path)
    with PairScores(local, tmp_path) as scores:
        first = scores.of(0, EVERY[1:])
        assert scores.matched == len(EVERY) - 1
        assert scores.of(0, EVERY[1:]).tolist() == first.tolist()
        assert scores.of(3, np.array([0])).tolist() == [first[2]]  # a symmetric pair, the other way round
        assert scores.matched == len(EVERY) - 1
    with PairScores(local, tmp_path) as scores:
        assert scores.of(0, EVERY[1:]).tolist() == first.tolist()
        assert scores.matched == 0


def test_a_photo_without_points_scores_0_and_is_not_matched(tmp_path: Path) -> None:
    local = open_local(Colour(), Pictures(TABLE, black=[1]), EVERY, device="cpu", cache=tmp_path)
    with PairScores(local, tmp_path) as scores:
        assert scores.of(1, EVERY[2:]).tolist() == [0] * (len(EVERY) - 2)
        assert scores.of(0, np.array([1])).tolist() == [0]
        assert scores.matched == 0


def test_scores_survive_an_end_without_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before a kill is found; what was not is matched again, to the same score."""
    local = open_local(Colour(), Pictures(TABLE), EVERY, device="cpu", cache=tmp_path)
    monkeypatch.setattr("wildreid.matching.pairs.WRITTEN", 0.0)
    killed = PairScores(local, tmp_path)
    expected = killed.of(0, EVERY[1:5]).tolist()
    monkeypatch.setattr("wildreid.matching.pairs.WRITTEN", 1e9)
    lost = killed.of(1, EVERY[5:]).tolist()
    killed._kept._base.close()  # nothing is written any more, as after SIGKILL
    with PairScores(local, tmp_path) as scores:
        assert scores.of(0, EVERY[1:5]).tolist() == expected
        assert scores.matched == 0
        assert scores.of(1, EVERY[5:]).tolist() == lost
        assert scores.matched == len(EVERY) - 5


def test_scores_that_nobody_asked_for_go_when_the_cache_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of at most 40 KB, filled on three days; what is asked for on the third outlives the rest."""
    local = open_local(Colour(), Pictures(TABLE), EVERY, device="cpu", cache=tmp_path)
    file, limit = tmp_path / "matches" / "colour.sqlite", 40_000

    def key(number: int) -> bytes:
        return hashlib.blake2b(number.to_bytes(2), digest_size=16).digest()

    def filled(day: int, numbers: range) -> None:
        monkeypatch.setattr("time.time", lambda: 86_400.0 * day)
        with PairScores(local, tmp_path, cache_gib=limit / 2**30) as scores:
            scores.of(0, EVERY[1:4])
            scores._new |= {key(number): 1.0 for number in numbers}
        assert file.stat().st_size <= limit

    def held(numbers: range) -> int:
        with closing(sqlite3.connect(file)) as base:
            return len(
                {key(n) for n in numbers} & {pair for (pair,) in base.execute("select pair from pairs")}
            )

    filled(1, range(700))
    filled(2, range(700, 800))
    filled(3, range(1000, 1600))
    assert held(range(1000, 1600)) == 600
    assert held(range(700)) < 700
    with PairScores(local, tmp_path) as scores:
        assert len(scores.of(0, EVERY[1:4])) == 3
        assert scores.matched == 0
    filled(3, range(2000, 5000))  # all of today: there is no room for the last of them
    assert held(range(1000, 1600)) == 600
    assert 0 < held(range(2000, 5000)) < 3000
    assert held(range(800)) == 0


def test_a_cache_that_is_damaged_is_said_as_such(tmp_path: Path) -> None:
    local = open_local(Colour(), Pictures(TABLE), EVERY, device="cpu", cache=tmp_path)
    (tmp_path / "matches").mkdir()
    (tmp_path / "matches" / "colour.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match="the cache cannot be read"):
        PairScores(local, tmp_path)


def test_a_matcher_of_another_form_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Built, "width", 5)
    with pytest.raises(UserError, match=r"not \(4, 2\) and \(4, 5\)"):
        open_local(Colour(), Pictures(TABLE), EVERY, device="cpu", cache=tmp_path)
