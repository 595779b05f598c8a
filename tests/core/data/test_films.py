from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.data.filmed import film, grey

from wildreid.data import frames
from wildreid.data.films import read_film, sample
from wildreid.data.frames import file_of, film_of, films_of, frame_name, is_film
from wildreid.data.groups import annotate
from wildreid.data.images import read
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.places import cache_folder
from wildreid.recipe.settings import Encounters


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path / "cache"))


def numbers(rows: pd.DataFrame) -> list[int]:
    return [int(name[-10:-4]) for name in rows["image"]]


def shown(root: Path, image: str) -> float:
    """The brightness of the right half of a frame."""
    return float(np.median(read(file_of(root, image))[:, 40:]))


def test_the_real_film_gives_frames_at_the_golden_moments(real_data: Path) -> None:
    pytest.importorskip("av", reason="films need the extra 'video'")
    root = real_data / "formats/camtrapr"
    rows, failures = sample(root, ["20251112_100312.mp4"], every=0.5, most=3)
    assert failures == []
    told = read_film(root / "20251112_100312.mp4")
    assert len(told.seconds) == 34
    assert told.seconds[numbers(rows)].round(3).tolist() == [0.0, 0.501, 1.002]
    assert rows["timestamp"][0] == pd.Timestamp("2025-11-12 10:03:12")  # of its name
    assert read(file_of(root, rows["image"][2])).shape == (720, 1280, 3)


def test_ffmpeg_reports_to_nobody_though_another_library_asked_it_to(tmp_path: Path) -> None:
    """Its threads would wait for the interpreter, and the closing of a film for its threads."""
    av = pytest.importorskip("av", reason="films need the extra 'video'")
    film(tmp_path / "a.mp4", frames=20)
    av.logging.set_level(av.logging.ERROR)  # as torchvision 0.20 does
    try:
        assert sample(tmp_path, ["a.mp4"])[1] == []
        assert av.logging.get_level() is None
    finally:
        av.logging.set_level(None)


def test_a_film_without_a_date_in_its_name_needs_to_be_told_its_clock(
    real_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("av", reason="films need the extra 'video'")
    shutil.copy(real_data / "formats/camtrapr/20251112_100312.mp4", tmp_path / "clip.mp4")
    assert read_film(tmp_path / "clip.mp4").began is None
    local = read_film(tmp_path / "clip.mp4", times="local")
    assert (local.began, local.utc_offset) == (pd.Timestamp("2025-11-12 02:03:13"), None)
    utc = read_film(tmp_path / "clip.mp4", times="utc")  # and this camera wrote its zone
    assert (utc.began, utc.utc_offset) == (pd.Timestamp("2025-11-12 10:03:13"), 480)


def test_frames_are_the_ones_that_are_named_whether_decoded_or_jumped_to(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", frames=200)
    rows, failures = sample(tmp_path, ["a.mp4"], numbers={"a.mp4": [150, 0, 7, 8, 150]})
    assert failures == []
    assert numbers(rows) == [0, 7, 8, 150]
    for image, number in zip(rows["image"], numbers(rows), strict=True):
        assert shown(tmp_path, image) == pytest.approx(grey(number, 200), abs=3)


def test_the_frames_are_spread_evenly_when_they_would_be_too_many(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", frames=100)  # 9.9 seconds
    assert numbers(sample(tmp_path, ["a.mp4"])[0]) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert numbers(sample(tmp_path, ["a.mp4"], most=4)[0]) == [0, 30, 60, 90]
    assert numbers(sample(tmp_path, ["a.mp4"], every=60)[0]) == [0]
    assert numbers(sample(tmp_path, ["a.mp4"], most=1)[0]) == [0]


def test_a_film_is_turned_as_a_player_turns_it(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", turn=True)
    rows, _ = sample(tmp_path, ["a.mp4"], most=1)
    pixels = read(file_of(tmp_path, rows["image"][0]))
    assert pixels.shape == (64, 48, 3)  # the black half, left as stored, is above after a turn clockwise
    assert pixels[:28].mean() < 10 < pixels[36:].mean()


def test_a_frame_that_has_left_the_cache_is_taken_again(tmp_path: Path) -> None:
    film(tmp_path / "den/a.mp4")
    rows, _ = sample(tmp_path, ["den/a.mp4"], every=1, most=2)
    before = file_of(tmp_path, rows["image"][1]).read_bytes()
    shutil.rmtree(cache_folder())
    assert file_of(tmp_path, rows["image"][1]).read_bytes() == before
    assert not file_of(tmp_path, frame_name("den/a.mp4", 99)).exists()
    assert not file_of(tmp_path, frame_name("den/gone.mp4", 0)).exists()
    assert file_of(tmp_path, "den/photo.jpg") == tmp_path / "den/photo.jpg"


def test_a_film_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "a.mp4")
    first = sample(tmp_path, ["a.mp4"])[0]
    monkeypatch.setattr(frames, "_decoded", lambda *_: pytest.fail("it is decoded again"))
    pd.testing.assert_frame_equal(sample(tmp_path, ["a.mp4"])[0], first)
    shutil.copy(tmp_path / "a.mp4", tmp_path / "same.mp4")
    assert sample(tmp_path, ["same.mp4"])[1] == []


def test_one_film_in_many_places_is_decoded_by_threads_without_harm(tmp_path: Path) -> None:
    first = film(tmp_path / "0.mp4")
    names = [f"{number}.mp4" for number in range(12)]
    for name in names[1:]:
        shutil.copy(first, tmp_path / name)
    rows, failures = sample(tmp_path, names, threads=8)
    assert failures == []
    assert rows["image"].str.partition("/")[0].value_counts().eq(3).all()
    assert not [path for path in (cache_folder() / "films").iterdir() if "-" in path.name]


def test_what_cannot_be_read_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "short.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.mov").write_bytes(b"")
    (tmp_path / "junk.avi").write_bytes(b"junk" * 99)
    damaged = bytearray(whole)
    at = whole.index(b"mdat") + 4000
    damaged[at : at + 4000] = b"\xff" * 4000
    (tmp_path / "damaged.mp4").write_bytes(bytes(damaged))
    names = ["short.mp4", "empty.mov", "junk.avi", "gone.mkv"]
    rows, failures = sample(tmp_path, names)
    assert rows.empty
    assert [failure.image for failure in failures] == names
    assert {failure.kind for failure in failures} == {"the film cannot be read"}
    rows, failures = sample(
        tmp_path, ["damaged.mp4", "whole.mp4"], numbers={"damaged.mp4": [0, 29], "whole.mp4": [0, 30]}
    )
    assert len(rows) + len(failures) == 4
    assert [failure.reason for failure in failures if failure.image == "whole.mp4/f000030.jpg"] == [
        "no such frame: the film has 30, and 300 are taken of one at most"
    ]


def test_limits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "a.mp4")
    monkeypatch.setattr(frames, "LONGEST", 2.0)
    with pytest.raises(UserError, match="longer than"):
        read_film(tmp_path / "a.mp4")
    monkeypatch.setattr(frames, "LARGEST", 1000)
    with pytest.raises(UserError, match="more than 8K: 64 × 48"):
        read_film(tmp_path / "a.mp4")


def test_without_pyav_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(UserError, match="not installed") as caught:
        sample(tmp_path, ["a.mp4"])
    assert "wildreid[video]" in caught.value.cure
    assert len(sample(tmp_path, [])[0]) == 0  # who has no films needs none


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("20240501_101500.mp4", "2024-05-01 10:15:00"),
        ("cam1_2024-05-01__10-15-00(1).mp4", "2024-05-01 10:15:00"),
        ("VID_20240501101500.mp4", "2024-05-01 10:15:00"),
        ("DSCF0012.mp4", None),
        ("20249901_101500.mp4", None),
        ("20240501.mp4", None),  # a day is no moment
    ],
)
def test_a_name_says_when(tmp_path: Path, name: str, moment: str | None) -> None:
    film(tmp_path / name)
    assert read_film(tmp_path / name).began == (None if moment is None else pd.Timestamp(moment))


def test_a_clock_that_was_never_set_is_none(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", began="1970-01-01T00:00:05Z")
    film(tmp_path / "b.mp4", began="2024-05-01T10:15:00Z")
    assert read_film(tmp_path / "a.mp4", times="local").began is None
    utc = read_film(tmp_path / "b.mp4", times="utc")
    assert (utc.began, utc.utc_offset) == (pd.Timestamp("2024-05-01 10:15:00"), 0)


def test_names_of_frames() -> None:
    assert frame_name("a b/C.MP4", 30) == "a b/C.MP4/f000030.jpg"
    assert film_of("a b/C.MP4/f000030.jpg") == "a b/C.MP4"
    images = pd.Series(["C.mp4/f000001.jpg", "C.mp4/photo.jpg", "mp4/f000001.jpg", "a.jpg"])
    assert films_of(images).fillna("").tolist() == ["C.mp4", "", "", ""]
    assert is_film("x/a.MTS")
    assert not is_film("x.mp4/a.jpg")


def test_a_film_is_one_burst_one_encounter_and_never_divided() -> None:
    """Undated, or with long pauses over midnight: the frames stay together, and with nothing else."""
    names = [frame_name("den/a.mp4", number) for number in (0, 10, 20)]
    more = [frame_name("den/b.mp4", number) for number in (0, 10)]
    photos = ["den/1.jpg", "den/2.jpg"]
    start = pd.Timestamp("2024-05-01 23:00")
    for dated in (False, True):
        rows = pd.DataFrame(
            {"image": names + more + photos, "identity": ["x"] * 3 + ["y"] * 2 + ["y", pd.NA]}
        )
        times = [start, start + pd.Timedelta(hours=1), start + pd.Timedelta(hours=2)]
        rows["timestamp"] = pd.to_datetime(
            [*times, *(pd.Timestamp(f"2024-05-0{day}") for day in "5678")] if dated else [None] * 7
        )
        met = annotate(Table.of(rows, Path("/")), Encounters()).rows
        for column in ("sequence", "encounter", "group"):
            assert met[column][:3].nunique() == 1
            assert met[column][3:5].nunique() == 1
        assert met["sequence"].nunique() == 4
        assert met["group"][0] != met["group"][3]
