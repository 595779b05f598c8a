"""Where photos lie that somebody's file names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.locate import locate
from wildreid.errors import UserError


def _files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def _one(path: object, root: Path, **how: object) -> tuple[str | None, str | None]:
    found = locate(pd.Series([path], dtype="string"), root, **how)  # type: ignore[arg-type]
    return found.images[0], found.reasons[0]


def test_a_relative_path_starts_at_the_root_whatever_its_slashes(tmp_path: Path) -> None:
    _files(tmp_path, "a/b.jpg")
    for path in ("a/b.jpg", "a\\b.jpg", "./a//b.jpg", " a/b.jpg "):
        assert _one(path, tmp_path) == ("a/b.jpg", None)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a/c.jpg", "there is no such file"),
        ("../b.jpg", "the path leaves the root: ../b.jpg"),
        ("a/../../b.jpg", "the path leaves the root: ../b.jpg"),
        ("https://example.org/x/b.jpg", "not on this machine: https://example.org/x/b.jpg"),
        ("gs://bucket/b.jpg", "not on this machine: gs://bucket/b.jpg"),
        ("a/film.MP4", "a film: not read"),
        (None, "no file is named"),
        ("", "there is no such file"),
    ],
)
def test_what_is_not_here_says_why(tmp_path: Path, path: str | None, reason: str) -> None:
    _files(tmp_path, "a/b.jpg", "a/film.MP4")
    assert _one(path, tmp_path) == (None, reason)


def test_of_an_absolute_path_the_longest_end_below_the_root_is_taken(tmp_path: Path) -> None:
    _files(tmp_path, "s1/b.jpg", "b.jpg", "other/s2/b.jpg")
    assert _one("/elsewhere/2021/s1/b.jpg", tmp_path) == ("s1/b.jpg", None)
    assert _one("D:\\photos\\s1\\b.jpg", tmp_path) == ("s1/b.jpg", None)
    # other/s2/b.jpg shares more of it than b.jpg does, and is not meant by it: nothing is guessed
    assert _one("/elsewhere/s2/b.jpg", tmp_path) == (None, "there is no such file")


def test_two_files_that_could_be_meant_are_none(tmp_path: Path) -> None:
    _files(tmp_path, "s1/b.jpg", "x/s1/b.jpg")
    image, reason = _one("/elsewhere/s1/b.jpg", tmp_path)
    assert image is None
    assert reason is not None
    assert reason.startswith("two files could be meant: ")


def test_one_file_is_not_two_absolute_paths(tmp_path: Path) -> None:
    _files(tmp_path, "b.jpg")
    found = locate(pd.Series(["/s1/b.jpg", "/s2/b.jpg", "b.jpg"]), tmp_path)
    assert found.images.tolist() == [None, None, "b.jpg"]
    assert found.reasons[0] == "several records name a file so: b.jpg"


def test_a_prefix_is_stripped(tmp_path: Path) -> None:
    _files(tmp_path, "s1/b.jpg")
    assert _one("/data/run7/s1/b.jpg", tmp_path, strip_prefix="/data/run7/") == ("s1/b.jpg", None)
    assert _one("run7/s1/b.jpg", tmp_path, strip_prefix="run7/") == ("s1/b.jpg", None)


def test_media_are_found_by_their_last_part_or_their_id(tmp_path: Path) -> None:
    root, media = _files(tmp_path / "pack", "local.jpg"), _files(tmp_path / "files", "deep/b.jpg", "id7.jpeg")
    paths = pd.Series(["https://x.org/1/b.jpg?token=a/b", "https://x.org/2/file", "local.jpg", "gone.jpg"])
    ids = pd.Series(["id1", "id7", "id3", "id4"])
    found = locate(paths, root, media=media, names=[ids])
    assert found.root == tmp_path
    assert found.images.tolist() == ["files/deep/b.jpg", "files/id7.jpeg", "pack/local.jpg", None]
    assert found.reasons[3] == "there is no such file"


def test_a_name_that_two_records_have_is_no_name(tmp_path: Path) -> None:
    root, media = _files(tmp_path / "pack", "x"), _files(tmp_path / "files", "RCNX0001.JPG", "id2.JPG")
    paths = pd.Series(["https://x.org/1/RCNX0001.JPG", "https://x.org/2/RCNX0001.JPG"])
    found = locate(paths, root, media=media, names=[pd.Series(["id1", "id2"])])
    assert found.images.tolist() == [None, "files/id2.JPG"]


def test_folders_that_are_not_there_are_told_with_their_field(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder") as caught:
        locate(pd.Series(["b.jpg"]), tmp_path, media=tmp_path / "gone")
    assert caught.value.where == "dataset.media"
