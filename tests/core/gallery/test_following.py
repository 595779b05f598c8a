"""A state made from the one before equals the one that is read from the disk, whatever happened between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, annotations, made, unit

from wildreid.errors import UserError
from wildreid.gallery import following, segments, state
from wildreid.gallery.journal import live
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery


def assert_same(one: State, other: State) -> None:
    assert one.manifest == other.manifest
    assert one.changes == other.changes
    assert one.individuals == other.individuals
    np.testing.assert_array_equal(one.codes, other.codes)
    pd.testing.assert_frame_equal(one.rows, other.rows)
    assert one.row_of == other.row_of
    np.testing.assert_array_equal(one.keys, other.keys)
    np.testing.assert_array_equal(one.met, other.met)
    np.testing.assert_array_equal(one.encounters, other.encounters)
    np.testing.assert_array_equal(one.last_seen, other.last_seen)
    np.testing.assert_array_equal(one.sizes, other.sizes)
    assert (one.rule, one.fused) == (other.rule, other.fused)
    assert len(one.points) == len(other.points) == len(one.manifest.segments)
    assert one.different == other.different
    assert one.digest() == other.digest()


def act(gallery: Gallery, draw: np.random.Generator, turn: int) -> str:
    """One random change; says which."""
    now = gallery.state
    kind = str(draw.choice(["add", "add", "rename", "merge", "split", "remove", "image", "different", "withdraw",
                            "undo", "calibrate", "again"]))  # fmt: skip
    names = list(now.individuals)
    one, other = (str(name) for name in draw.choice(names, 2, replace=False))
    keys = now.keys_of(one)
    if kind == "add":
        rows = annotations(int(draw.integers(1, 9)), 100 + turn, people=9)
        gallery.add(rows, unit(len(rows), turn), model=MARK)
    elif kind == "again":  # what was removed comes back under another name
        gone = now.rows[now.codes == -1].head(2)
        rows = gone.drop_duplicates("key").drop(columns=["change", "trained"]).assign(identity=one)
        if len(rows):
            gallery.add(rows, unit(len(rows), turn), model=MARK)
    elif kind == "rename":
        gallery.rename(one, f"bear {turn} new")
    elif kind == "merge":
        gallery.merge(one, other)
    elif kind == "split":
        gallery.split(one, other if draw.random() < 0.5 else f"bear {turn} split", keys[:1])
    elif kind == "remove":
        gallery.remove(one)
    elif kind == "image":
        gallery.remove(one, keys[:1])
    elif kind == "different":
        gallery.different(keys[:1], now.keys_of(other)[:1])
    elif kind == "withdraw":
        gallery.withdraw(int(draw.integers(3, len(now.changes) + 3)))  # never what all came with
    elif kind == "undo" and len(live(now.changes)) > 2:
        gallery.undo()
    elif kind == "calibrate":
        gallery.calibrate(now.rule if draw.random() < 0.5 else None)
    return kind


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(segments, "SETTLED", 12)  # so that segments are joined and settle
    followed = []
    monkeypatch.setattr(
        state, "follow", lambda *given: followed.append(following.follow(*given)) or followed[-1]
    )
    gallery, draw = made(tmp_path / "g", rows=40, people=9), np.random.default_rng(seed)
    kinds = set()
    for turn in range(30):
        try:
            kinds.add(act(gallery, draw, turn))
        except (UserError, ValueError):
            continue  # it cannot be done to this gallery
        now = gallery.state
        assert len(now.row_of) == now.images
        assert_same(now, State.load(gallery.folder))
        if len(now.individuals) < 3:
            break
    assert len(kinds) > 5
    assert sum(one is not None for one in followed) > 10, "most changes are followed"


def test_two_states_between_which_much_happened(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=40)
    elsewhere = Gallery(gallery.folder)
    before = elsewhere.state
    for turn in range(5):
        gallery.add(annotations(4, 50 + turn), unit(4, turn), model=MARK)
        gallery.rename(gallery.state.individuals[0], f"renamed {turn}")
    after = elsewhere.state
    assert after is not before
    assert_same(after, State.load(gallery.folder))
    assert len(before.rows) == 40, "a state never changes"


def test_a_gallery_that_was_put_back_is_read_anew(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=40)
    before = gallery.state
    saved = (gallery.folder / "gallery.json").read_bytes()
    gallery.rename(before.individuals[0], "Otis")
    assert "Otis" in gallery.state.individuals
    (gallery.folder / "gallery.json").write_bytes(saved)
    assert gallery.state.individuals == before.individuals
