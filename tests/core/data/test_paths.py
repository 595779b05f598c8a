from __future__ import annotations

import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.paths import as_spelled, below, outside


def texts(*values: str | None) -> pd.Series[str]:
    return pd.Series(list(values), dtype="string")


def test_backslashes_and_absolute_paths_inside_the_root(tmp_path: Path) -> None:
    paths = texts("2023\\a.jpg", f"{tmp_path}/b.jpg", f"{tmp_path}2/c.jpg", "C:\\d.jpg", "../e.jpg", None)
    found = below(paths, tmp_path)
    assert found.tolist()[:2] == ["2023/a.jpg", "b.jpg"]
    assert outside(found).tolist() == [False, False, True, True, True, False]


def test_a_root_that_is_a_link_is_the_folder_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert below(texts(f"{tmp_path.resolve()}/there/a.jpg"), tmp_path / "link").tolist() == ["a.jpg"]


def test_case_and_accents_of_the_files_win(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "Löwe")
    (tmp_path / apart).mkdir()
    for name in ("A.JPG", "b.jpg"):
        (tmp_path / apart / name).touch()
    whole = unicodedata.normalize("NFC", "Löwe")
    found, notes = as_spelled(texts(f"{whole}/a.jpg", f"{apart}/b.jpg", "gone/c.jpg"), tmp_path)
    assert found.tolist() == [f"{apart}/A.JPG", f"{apart}/b.jpg", "gone/c.jpg"]
    assert len(notes) == 1
    assert "differ by case or accents' form alone: 1" in notes[0]


def test_a_path_that_could_be_two_files_stays(tmp_path: Path) -> None:
    for name in ("A.jpg", "a.JPG"):
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes the two for one")
    found, notes = as_spelled(texts("a.jpg"), tmp_path)
    assert (found.tolist(), notes) == (["a.jpg"], [])
