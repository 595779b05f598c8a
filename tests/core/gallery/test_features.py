"""Local features in the segments: what goes in comes out, under the hashes, journal and undo of the embeddings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.core.gallery.made import MARK, MATCHING, annotations, made, points, unit

from wildreid.errors import UserError
from wildreid.gallery import segments
from wildreid.gallery.check import verify
from wildreid.gallery.manifest import Matching
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery


def matching(folder: Path) -> Gallery:
    return Gallery.create(folder, MARK, matching=MATCHING)


def add(gallery: Gallery, seed: int, rows: int = 20, *, described: bool = True) -> None:
    own = [points(rows, seed)] if described else []
    gallery.add(annotations(rows, seed), unit(rows, seed), model=MARK, points=own)


def expect(state: State, seed: int, rows: int = 20) -> None:
    """The features of these rows are those that were given, whatever became of the segments."""
    given, found = points(rows, seed), state.local["dots"]
    at = np.array([state.row_of[key] for key in annotations(rows, seed)["key"]])
    assert (found.heads["key"][at] == given.heads["key"]).all()
    assert (found.heads["count"][at] == given.heads["count"]).all()
    assert (found.heads["place"][at] == given.heads["place"]).all()
    assert (found.take(at) == given.take(np.arange(rows))).all()


@pytest.mark.parametrize("settled", [7, 4096])
def test_what_goes_in_comes_out_through_merges_of_segments(
    settled: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SETTLED", settled)
    gallery = matching(tmp_path / "g")
    for seed in (1, 2, 3):
        add(gallery, seed)
    add(gallery, 4, described=False)
    state = Gallery(gallery.folder).state
    assert len(state.manifest.segments) == (4 if settled == 7 else 1)
    for seed in (1, 2, 3):
        expect(state, seed)
    others = [state.row_of[key] for key in annotations(20, 4)["key"]]
    assert not state.local["dots"].there[others].any()
    assert verify(gallery.folder).damage == ()


def test_heavy_segments_are_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "HEAVY", 20 * 50)
    gallery = matching(tmp_path / "g")
    add(gallery, 1)
    before = {path.name for path in (gallery.folder / "segments").iterdir()}
    add(gallery, 2)
    assert before < {path.name for path in (gallery.folder / "segments").iterdir()}


def test_the_digest_is_the_same_however_the_features_came(tmp_path: Path) -> None:
    one, two, three, four = (matching(tmp_path / name) for name in "abcd")
    for seed in (1, 2):
        add(one, seed)
    for seed in (2, 1):
        add(two, seed)
    for seed in (1, 2):
        add(three, seed, described=False)
        add(four, seed, described=False)
    keys = [*annotations(20, 1)["key"], *annotations(20, 2)["key"]]
    assert three.describe(annotations(20, 1)["key"], [points(20, 1)]) == 20
    assert three.describe(keys[20:], [points(20, 2)]) == 20
    digests = [gallery.state.digest() for gallery in (one, two, three, four)]
    assert digests[0] == digests[1] == digests[2] != digests[3]
    expect(Gallery(three.folder).state, 1)
    assert verify(three.folder).damage == ()
    assert not verify(three.folder).notes


def test_features_that_are_there_are_kept_and_strangers_are_passed_over(tmp_path: Path) -> None:
    gallery = matching(tmp_path / "g")
    add(gallery, 1)
    add(gallery, 2, described=False)
    changes = len(gallery.state.changes)
    keys = [
        *annotations(20, 1)["key"],
        *annotations(20, 9)["key"],
    ]  # known ones with other features, and unknown
    assert gallery.describe(keys, [points(40, 5)]) == 0
    assert len(gallery.state.changes) == changes
    expect(gallery.state, 1)


def test_undo_takes_features_back(tmp_path: Path) -> None:
    gallery = matching(tmp_path / "g")
    add(gallery, 1)
    add(gallery, 2, described=False)
    before = gallery.state.digest()
    gallery.describe(annotations(20, 2)["key"], [points(20, 2)])
    assert gallery.state.digest() != before
    assert gallery.undo().kind == "features"
    assert gallery.state.digest() == before
    expect(gallery.state, 1)
    gallery.describe(annotations(20, 2)["key"], [points(20, 2)])  # once more, over what was undone
    expect(gallery.state, 2)
    gallery.undo()
    gallery.undo()
    gallery.undo()
    assert gallery.state.images == 0
    add(gallery, 1)
    expect(gallery.state, 1)
    assert verify(gallery.folder).damage == ()


def test_damage_is_found_and_its_file_named(tmp_path: Path) -> None:
    gallery = matching(tmp_path / "g")
    add(gallery, 1)
    (file,) = (gallery.folder / "segments").glob("*.points.npy")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (damage,) = verify(gallery.folder).damage
    assert file.name in damage
    for broken in (whole[:-10], b"", b"no numbers"):
        file.write_bytes(broken)
        with pytest.raises(UserError) as caught:
            Gallery(gallery.folder)
        assert caught.value.where.endswith(file.name)
        assert "reid gallery features" in caught.value.cure
    file.unlink()
    with pytest.raises(UserError, match="is missing"):
        Gallery(gallery.folder)


def test_features_of_another_matcher_are_refused_and_those_there_count_for_nothing(tmp_path: Path) -> None:
    gallery = matching(tmp_path / "g")
    with pytest.raises(UserError, match="another matcher"):
        gallery.add(annotations(5, 1), unit(5, 1), model=MARK, points=[points(5, 1, fingerprint="other")])
    with pytest.raises(UserError, match="of 4 rows for 5"):
        gallery.add(annotations(5, 1), unit(5, 1), model=MARK, points=[points(4, 1)])
    with pytest.raises(UserError, match="it has none"):
        made(tmp_path / "plain").add(annotations(5, 2), unit(5, 2), model=MARK, points=[points(5, 2)])
    add(gallery, 1)
    other = MATCHING.model_copy(update={"fingerprints": ("other",)})
    gallery.describe([], [], matching=other)
    assert gallery.state.local == {}
    own = points(20, 1, fingerprint="other")
    assert gallery.describe(annotations(20, 1)["key"], [own]) == 20
    expect(gallery.state, 1)
    assert len(list((gallery.folder / "segments").glob("*.points.npy"))) == 1


def test_a_gallery_without_matchers_is_as_it_was(tmp_path: Path) -> None:
    plain = made(tmp_path / "g")
    assert plain.state.local == {}
    assert json.loads((plain.folder / "gallery.json").read_text())["matching"] is None
    known = plain.state.digest()
    shutil.copytree(plain.folder, tmp_path / "h")
    Gallery(tmp_path / "h").describe([], [], matching=Matching(stands="embedding", says=("It is closed.",)))
    assert plain.state.digest() == known
