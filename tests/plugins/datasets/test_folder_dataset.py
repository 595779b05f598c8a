from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from tests.core.data.filmed import film

from wildreid.errors import UserError
from wildreid_plugins.datasets import Folder


def photo(path: Path, taken: str | None = None, serial: str | None = None) -> None:
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    for tag, value in ((0x9003, taken), (0xA431, serial)):
        if value is not None:
            details[tag] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, exif=exif)


def test_a_folder_is_an_individual(tmp_path: Path) -> None:
    photo(tmp_path / "Åse/a b.JPG", "2021:05:01 10:00:00", "S1")
    photo(tmp_path / "Åse/deep/c.png")
    photo(tmp_path / "007/d.jpeg")
    (tmp_path / "007/notes.txt").write_text("x")
    (tmp_path / "007/.hidden.jpg").write_text("x")
    photo(tmp_path / "loose.jpg")
    table = Folder(root=tmp_path).table()
    assert table.rows.set_index("image")["identity"].to_dict() == {
        "007/d.jpeg": "007", "Åse/a b.JPG": "Åse", "Åse/deep/c.png": "Åse",
    }  # fmt: skip
    dated = table.rows.set_index("image").loc["Åse/a b.JPG"]
    assert dated["timestamp"] == pd.Timestamp("2021-05-01 10:00")
    assert dated["camera"] == "S1"
    assert {(one.image, one.reason) for one in table.failures} == {
        ("007/notes.txt", "not an image by its name"),
        ("loose.jpg", "in no individual's folder"),
    }


def test_headers_are_left_alone_if_asked(tmp_path: Path) -> None:
    photo(tmp_path / "a/a.jpg", "2021:05:01 10:00:00")
    assert not Folder(root=tmp_path, exif=False).table().dated


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    with pytest.raises(UserError, match="no photo in a folder of an individual"):
        Folder(root=tmp_path).table()
    with pytest.raises(UserError, match="is not there"):
        Folder(root=tmp_path / "gone").table()


def test_a_film_in_an_individuals_folder_may_give_frames(tmp_path: Path) -> None:
    photo(tmp_path / "Bella/a.jpg", "2021:05:01 10:00:00", "S1")
    film(tmp_path / "Bella/clip.mp4", began="2021-05-01T09:00:00Z")
    film(tmp_path / "loose.mp4")
    table = Folder(root=tmp_path, videos="sample", most=2, film_times="local").table()
    assert table["identity"].tolist() == ["Bella"] * 3
    assert table["timestamp"].tolist() == [
        pd.Timestamp("2021-05-01 10:00:00"), pd.Timestamp("2021-05-01 09:00:00"),
        pd.Timestamp("2021-05-01 09:00:02"),
    ]  # fmt: skip
    assert [(one.image, one.reason) for one in table.failures] == [("loose.mp4", "in no individual's folder")]
    assert len(Folder(root=tmp_path).table()) == 1
