from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError
from tests.core.data.filmed import film
from tests.core.data.test_tags import keywords
from tests.core.data.test_tags import photo as tagged_photo
from tests.plugins.datasets.test_folder_dataset import photo

from wildreid.data.groups import annotate
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters
from wildreid_plugins.datasets import CameraTrap


@pytest.fixture
def stations(tmp_path: Path) -> Path:
    photo(tmp_path / "North/lynx 1/a(1).JPG", "2021:05:01 23:58:00", "S1")
    photo(tmp_path / "North/lynx 1/a(2).JPG", "2021:05:01 23:58:30", "S2")
    photo(tmp_path / "South/lynx 2/b.jpg", "2021:05:01 10:00:00", "S3")
    photo(tmp_path / "odd.jpg")
    (tmp_path / "North/clip.mp4").write_text("x")
    return tmp_path


def test_station_and_individual_come_from_the_path_and_dates_from_the_photo(stations: Path) -> None:
    table = CameraTrap(root=stations).table()
    rows = table.rows
    assert rows["camera"].tolist() == ["North", "North", "South"]
    assert rows["identity"].tolist() == ["lynx 1", "lynx 1", "lynx 2"]
    assert rows["timestamp"][1] == pd.Timestamp("2021-05-01 23:58:30")
    assert {one.image for one in table.failures} == {"odd.jpg", "North/clip.mp4"}
    assert any("does not fit the layout" in one.reason for one in table.failures)


def test_a_camera_may_be_a_serial_number(stations: Path) -> None:
    assert CameraTrap(root=stations, camera="exif").table()["camera"].tolist() == ["S1", "S2", "S3"]


def test_a_clock_is_shifted_station_by_station(stations: Path) -> None:
    option = CameraTrap(root=stations, shift={"North": "-01:00:00", "South": 90})
    times = option.table()["timestamp"].tolist()
    assert times == [pd.Timestamp(f"2021-05-01 {time}") for time in ("22:58:00", "22:58:30", "10:01:30")]
    assert option.shift["South"] == timedelta(seconds=90)
    with pytest.raises(UserError, match="no station 'Nort', did you mean 'North'"):
        CameraTrap(root=stations, shift={"Nort": 1}).table()


def test_parts_of_a_file_name_can_be_named_too(tmp_path: Path) -> None:
    photo(tmp_path / "Leopard/StationA__left__1.jpg", "2021:05:01 10:00:00")
    rows = CameraTrap(root=tmp_path, layout="{species}/{station}__{viewpoint}__{file}").table().rows
    assert rows.loc[0, ["species", "station", "viewpoint"]].tolist() == ["Leopard", "StationA", "left"]
    assert rows["identity"].isna().all()


@pytest.mark.parametrize("layout", ["no names", "{a}{b}", "{a}/{a}", "{a/b"])
def test_a_layout_that_cannot_be_read_is_refused(layout: str) -> None:
    with pytest.raises(ValidationError):
        CameraTrap(root="x", layout=layout)


def test_signs_of_a_layout_mean_themselves(tmp_path: Path) -> None:
    photo(tmp_path / "A+B/x.1(2).jpg")
    rows = CameraTrap(root=tmp_path, layout="{station}+B/{identity}(2)").table().rows
    assert rows.loc[0, ["station", "identity"]].tolist() == ["A", "x.1"]


def test_nothing_that_fits_is_told_with_an_example(stations: Path) -> None:
    with pytest.raises(UserError, match="none of 4 images fits the layout") as caught:
        CameraTrap(root=stations, layout="{a}/{b}/{c}/{file}").table()
    assert "North/lynx 1/a(1).JPG" in str(caught.value)


def test_real_camera_traps(real_data: Path) -> None:
    root = real_data / "camtrapR/sample_images_species_dir"
    with pytest.raises(UserError, match="'UNID'"):
        CameraTrap(root=root).table()
    table = CameraTrap(root=root, unknown=["UNID"]).table()
    assert len(table) == 68
    assert table["timestamp"].notna().all()
    assert table["camera"].value_counts().to_dict() == {"StationC": 37, "StationB": 23, "StationA": 8}
    # the file names tell the same time
    told = table["image"].str.extract(r"__(\d{4}-\d\d-\d\d)__(\d\d-\d\d-\d\d)")
    assert (table["timestamp"] == pd.to_datetime(told[0] + " " + told[1].str.replace("-", ":"))).all()
    bursts = annotate(table, Encounters()).rows.groupby("sequence").size()
    assert bursts.max() == 8


def test_real_leopard_cats_are_told_by_their_tags(real_data: Path) -> None:
    option = CameraTrap(
        root=real_data / "camtrapR/sample_images_indiv_tag",
        layout="{species}/{station}__{file}",
        tag="individual",
    )
    table = option.table()
    assert len(table) == 26
    assert table["identity"].value_counts().to_dict() == {"1": 12, "2": 11, "3": 3}


def test_films_are_named_or_their_frames_are_rows_of_their_station(tmp_path: Path) -> None:
    photo(tmp_path / "North/lynx 1/a.jpg", "2021:05:01 10:00:00")
    film(tmp_path / "North/lynx 2/20210501_101500.mp4")
    film(tmp_path / "odd.mp4")
    listed = CameraTrap(root=tmp_path).table()
    assert {(one.image, one.reason) for one in listed.failures} == {
        (name, "a film: not read; videos: sample takes frames")
        for name in ("North/lynx 2/20210501_101500.mp4", "odd.mp4")
    }
    option = CameraTrap(root=tmp_path, videos="sample", every=1, most=2, shift={"North": 3600})
    table = option.table()
    frames = table.rows[table["identity"] == "lynx 2"]
    assert frames["image"].str[-11:].tolist() == ["f000000.jpg", "f000020.jpg"]
    assert frames["camera"].tolist() == ["North", "North"]
    assert frames["event"].nunique() == 1
    assert frames["timestamp"].tolist() == [
        pd.Timestamp("2021-05-01 11:15:00"), pd.Timestamp("2021-05-01 11:15:02"),
    ]  # fmt: skip
    assert [one.image for one in table.failures] == ["odd.mp4"]


def test_a_tag_is_read_by_the_rules_of_photo_tags(tmp_path: Path) -> None:
    tagged_photo(tmp_path / "North/a.jpg", keywords("individual|pride A|Bella"))
    tagged_photo(tmp_path / "North/b.jpg", keywords("individual|Bella", "individual|Cara"))
    table = CameraTrap(root=tmp_path, layout="{station}/{file}", tag="individual").table()
    assert table.rows[["station", "identity"]].to_numpy().tolist() == [["North", "Bella"]]
    assert [one.image for one in table.failures] == ["North/b.jpg", "North/b.jpg"]
