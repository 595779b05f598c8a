from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.gallery.made import MARK, RULE, annotations, made, unit

from wildreid.errors import UserError
from wildreid.gallery import segments
from wildreid.gallery.check import verify
from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery


def who_is_where(state: State) -> dict[str, str]:
    return {
        key: state.individuals[code]
        for key, code in zip(state.rows["key"], state.codes, strict=True)
        if code >= 0
    }


def test_what_was_added_is_there_after_opening_again(tmp_path: Path) -> None:
    rows, embeddings = annotations(60, 1), unit(60, 1)
    made(tmp_path / "g")
    state = Gallery(tmp_path / "g").state
    assert who_is_where(state) == dict(zip(rows["key"], rows["identity"], strict=True))
    places = np.array([state.row_of[key] for key in rows["key"]])
    np.testing.assert_array_equal(state.embeddings(places), embeddings)
    for code, name in enumerate(state.individuals):
        own = rows[rows["identity"] == name]
        assert state.sizes[code] == len(own)
        assert state.encounters[code] == own["visit"].nunique()
        assert state.last_seen[code] == own["timestamp"].max().to_datetime64()
        assert set(state.rows["key"].iloc[state.rows_of(name)]) == set(own["key"])


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "rename", "merge", "split", "remove", "remove some", "calibrate", "undo"]),
        st.integers(0, 2**31),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_changes_do_what_they_say_and_undoing_all_gives_the_first_state(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, int]]
) -> None:
    gallery = made(tmp_path_factory.mktemp("galleries") / "g", rows=0)
    naive: dict[str, str] = {}
    pasts: list[tuple[dict[str, str], str]] = []
    for number, (kind, draw) in enumerate([("add", 5), *operations]):
        past = (dict(naive), gallery.state.digest())
        names = sorted(set(naive.values()))
        one, other = (names[draw % len(names)], names[draw // 7 % len(names)]) if names else ("", "")
        own = sorted(key for key, name in naive.items() if name == one)
        some = own[: draw % len(own)] if own else []
        if kind == "add":
            rows = annotations(8, number + 1, people=3)
            assert gallery.add(rows, unit(8, number + 1), model=MARK).rows == 8
            naive.update(zip(rows["key"], rows["identity"], strict=True))
        elif kind == "rename" and one:
            gallery.rename(one, f"named {number}")
            naive.update(dict.fromkeys(own, f"named {number}"))
        elif kind == "merge" and one != other:
            gallery.merge(one, other)
            naive.update(dict.fromkeys(own, other))
        elif kind == "split" and some and one != other:
            gallery.split(one, other, some)
            naive.update(dict.fromkeys(some, other))
        elif kind == "remove" and one:
            gallery.remove(one)
            naive = {key: name for key, name in naive.items() if name != one}
        elif kind == "remove some" and some:
            gallery.remove(one, some)
            naive = {key: name for key, name in naive.items() if key not in some}
        elif kind == "calibrate":
            gallery.calibrate(None if gallery.state.rule else RULE)
        elif kind == "undo" and pasts:
            gallery.undo()
            naive, digest = pasts.pop()
            assert gallery.state.digest() == digest
            continue
        else:
            continue
        pasts.append(past)
        assert who_is_where(gallery.state) == naive
    while pasts:
        gallery.undo()
        naive, digest = pasts.pop()
        assert gallery.state.digest() == digest
        assert who_is_where(Gallery(gallery.folder).state) == naive
    with pytest.raises(UserError, match="nothing left to undo"):
        gallery.undo()
    assert verify(gallery.folder).damage == ()


def test_the_digest_does_not_know_how_the_gallery_came_to_be(tmp_path: Path) -> None:
    rows, embeddings = annotations(30, 1), unit(30, 1)
    one = made(tmp_path / "one", rows=0)
    one.add(rows, embeddings, model=MARK)
    other = made(tmp_path / "other", rows=0)
    shuffled = np.random.default_rng(0).permutation(30)
    for part in np.array_split(shuffled, 4):
        other.add(rows.iloc[part], embeddings[part], model=MARK)
    assert one.state.digest() == other.state.digest()
    other.rename("bear 0", "Otis")
    assert one.state.digest() != other.state.digest()


def test_many_small_additions_stay_few_files_and_large_ones_are_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SETTLED", 20)
    gallery = made(tmp_path / "g", rows=50)
    first = gallery.folder / "segments" / f"{gallery.state.manifest.segments[0].name}.npy"
    before = first.stat()
    for number in range(2, 14):
        gallery.add(annotations(3, number), unit(3, number), model=MARK)
    parts = gallery.state.manifest.segments
    assert [part.rows for part in parts] == [50, 21, 15]
    assert len(list((gallery.folder / "segments").iterdir())) == 2 * len(parts)
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    expected = np.concatenate([unit(50, 1), *(unit(3, number) for number in range(2, 14))])
    np.testing.assert_array_equal(gallery.state.embeddings(np.arange(86)), expected)


def test_what_cannot_be_added_is_named_with_its_reason(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=3)
    rows = pd.concat([annotations(3, 1), annotations(3, 2)], ignore_index=True)
    rows.loc[0, "identity"] = "somebody else"
    rows.loc[3, "identity"] = None
    rows.loc[5, "key"] = rows.loc[4, "key"]
    rows.loc[5, "identity"] = rows.loc[4, "identity"]
    added = gallery.add(rows, unit(6, 3), model=MARK)
    assert added.rows == 1
    assert len(added.left) == 5
    reasons = {left.image: left.reason for left in added.left}
    assert "as 'bear" in reasons[rows.loc[0, "image"]]
    assert reasons[rows.loc[1, "image"]] == "it is in the gallery already"
    assert "no identity" in reasons[rows.loc[3, "image"]]
    assert gallery.state.images == 4


def test_another_models_embeddings_and_a_changed_transform_are_refused(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=3)
    for update, words in (
        ({"weights": "other"}, "another model"),
        ({"width": 8}, "another model"),
        ({"transform": "other"}, "has changed since"),
    ):
        with pytest.raises(UserError, match=words):
            gallery.add(annotations(2, 2), unit(2, 2), model=MARK.model_copy(update=update))
    for bad in (2 * unit(2, 2), np.full((2, 16), np.nan, np.float32), unit(2, 2)[:, :8]):
        with pytest.raises(UserError, match=r"unit length|embeddings are"):
            gallery.add(annotations(2, 2), bad, model=MARK)
    assert gallery.state.images == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.rename("bear 7", "x"), "no individual is named 'bear 7', did you mean 'bear"),
        (lambda g: g.rename("bear 0", "bear 1"), "already"),
        (lambda g: g.rename("bear 0", " "), "no name"),
        (lambda g: g.rename("bear 0", "a\nb"), "no name"),
        (lambda g: g.merge("bear 0", "bear 0"), "itself"),
        (lambda g: g.merge("bear 0", "nobody"), "no individual"),
        (lambda g: g.split("bear 0", "x", ["strange"]), "has no image"),
        (lambda g: g.remove("bear 0", ["strange"]), "has no image"),
        (lambda g: g.remove("bear 0", []), "no image is named"),
        (lambda g: g.split("bear 0", "x", []), "no image is named"),
        (lambda g: g.split("bear 0", "x", list(g.state.rows["key"].iloc[g.state.rows_of("bear 0")])), "all"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(tmp_path: Path, change, words: str) -> None:
    gallery = made(tmp_path / "g")
    before = (gallery.folder / "gallery.json").read_bytes()
    with pytest.raises(UserError, match=words):
        change(gallery)
    assert (gallery.folder / "gallery.json").read_bytes() == before


def test_every_change_is_a_line_with_time_and_author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_AUTHOR", "Ann <b>O'Hara</b>")
    gallery = made(tmp_path / "g")
    gallery.merge("bear 0", "bear 1")
    gallery.undo()
    lines = [json.loads(line) for line in (gallery.folder / "journal.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["create", "add", "merge", "undo"]
    assert {line["author"] for line in lines} == {"Ann <b>O'Hara</b>"}
    assert all(line["time"].endswith("Z") and pd.Timestamp(line["time"]) for line in lines)


@pytest.mark.parametrize("where", ["parquet", "npy", "journal", "manifest", "rule"])
def test_verify_finds_what_was_altered(tmp_path: Path, where: str) -> None:
    gallery = made(tmp_path / "g")
    gallery.rename("bear 0", "Otis")
    assert verify(gallery.folder).damage == ()
    if where in ("parquet", "npy"):
        (path,) = (gallery.folder / "segments").glob(f"*.{where}")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif where == "journal":
        path = gallery.folder / "journal.jsonl"
        path.write_text(path.read_text().replace("Otis", "Ovis"))
    else:
        path = gallery.folder / "gallery.json"
        said = json.loads(path.read_text())
        if where == "rule":
            said["rule"]["new_below"] = 0.1
        else:
            said["journal"]["changes"] = 2
        path.write_text(json.dumps(said))
    assert verify(gallery.folder).damage


def test_a_folder_that_is_no_gallery_or_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no gallery"):
        Gallery(tmp_path)
    made(tmp_path / "g")
    path = tmp_path / "g" / "gallery.json"
    path.write_text(path.read_text().replace('"format": 3', '"format": 4'))
    with pytest.raises(UserError, match="format 4"):
        Gallery(tmp_path / "g")
    with pytest.raises(UserError, match="already"):
        Gallery.create(tmp_path / "g", MARK)


def test_threads_may_read_while_another_writes(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=30)
    failures: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                state = gallery.state
                assert state.images == len(state.row_of) == int(state.sizes.sum())
                state.embeddings(np.arange(len(state.rows)))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 12):
        Gallery(gallery.folder).add(annotations(5, number), unit(5, number), model=MARK)
    done.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert gallery.state.images == 30 + 50
