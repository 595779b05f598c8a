from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from wildreid.data.exif import dates_said, with_exif
from wildreid.data.read import read_table

MAKE, MODEL, DETAILS, TAKEN, ZONE, SERIAL = 0x010F, 0x0110, 0x8769, 0x9003, 0x9011, 0xA431
DIGITIZED, CHANGED = 0x9004, 0x0132


def photo(path: Path, taken: str | None = None, zone: str | None = None, **camera: str) -> None:
    exif = Image.Exif()
    if "make" in camera:
        exif[MAKE] = camera["make"]
    if "model" in camera:
        exif[MODEL] = camera["model"]
    details = exif.get_ifd(DETAILS)
    for tag, value in ((TAKEN, taken), (ZONE, zone), (SERIAL, camera.get("serial"))):
        if value is not None:
            details[tag] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, exif=exif)


def test_date_zone_and_camera_are_read(tmp_path: Path) -> None:
    photo(
        tmp_path / "a.jpg", "2009:04:10 04:08:00", "-08:00", make="Reconyx ", model="HC500", serial="H500\0\0"
    )
    rows = with_exif(pd.DataFrame({"image": ["a.jpg"], "identity": "x"}), tmp_path)
    assert rows["timestamp"][0] == pd.Timestamp("2009-04-10 04:08:00")
    assert rows["utc_offset"][0] == -480
    assert rows.loc[0, ["make", "model", "serial"]].tolist() == ["Reconyx", "HC500", "H500"]


@pytest.mark.parametrize("taken", [None, "0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday"])
def test_a_clock_that_was_never_set_gives_no_date(tmp_path: Path, taken: str | None) -> None:
    photo(tmp_path / "a.jpg", taken)
    assert with_exif(pd.DataFrame({"image": ["a.jpg"]}), tmp_path)["timestamp"].isna().all()


def test_where_the_best_time_is_missing_the_next_is_taken_and_said(tmp_path: Path) -> None:
    for name, tags in {
        "a.jpg": {DIGITIZED: "2011:01:01 00:00:01", CHANGED: "2012:01:01 00:00:01"},
        "b.jpg": {CHANGED: "2012:01:01 00:00:01"},
        "c.jpg": {},
    }.items():
        exif = Image.Exif()
        details = exif.get_ifd(DETAILS)
        for tag, value in tags.items():
            (exif if tag == CHANGED else details)[tag] = value
        Image.new("RGB", (8, 8)).save(tmp_path / name, exif=exif)
    rows = with_exif(pd.DataFrame({"image": ["a.jpg", "b.jpg", "c.jpg"]}), tmp_path)
    assert rows["dated_by"].tolist()[:2] == ["DateTimeDigitized", "DateTime"]
    assert rows["timestamp"].dt.year.tolist()[:2] == [2011, 2012]
    assert rows.loc[2, ["dated_by", "timestamp"]].isna().all()
    assert dates_said(rows["dated_by"], 3) == [
        "2 of 3 dates are from EXIF: 1 from DateTimeDigitized, 1 from DateTime"
    ]


def test_a_table_without_dates_takes_those_of_its_photos_and_its_own_win(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", "2009:04:10 04:08:00", "-08:00")
    photo(tmp_path / "b.jpg", "2010:04:10 04:08:00")
    (tmp_path / "t.csv").write_text("image,identity\na.jpg,x\nb.jpg,y\n")
    table = read_table(tmp_path / "t.csv", tmp_path)
    assert table["timestamp"].tolist() == [pd.Timestamp("2009-04-10 04:08"), pd.Timestamp("2010-04-10 04:08")]
    assert table["utc_offset"].tolist() == [-480, pd.NA]
    assert table.notes == ("2 of 2 dates are from EXIF: 2 from DateTimeOriginal",)
    (tmp_path / "own.csv").write_text("image,identity,timestamp\na.jpg,x,2001-01-01 10:00\nb.jpg,y,\n")
    own = read_table(tmp_path / "own.csv", tmp_path)
    assert own["timestamp"].dt.year.tolist() == [2001, 2010]
    (tmp_path / "sub").mkdir()
    elsewhere = read_table(tmp_path / "t.csv", tmp_path / "sub")  # the photos are not there
    assert elsewhere["timestamp"].isna().all()
    assert elsewhere.notes == ()


def test_what_cannot_be_opened_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    rows = with_exif(pd.DataFrame({"image": ["a.jpg", "gone.jpg"]}), tmp_path)
    assert rows[["timestamp", "utc_offset", "make", "model", "serial"]].isna().all().all()


def test_two_rows_of_one_image_are_told_the_same_and_order_is_kept(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", "2009:04:10 04:08:00")
    photo(tmp_path / "b.jpg", "2010:04:10 04:08:00")
    rows = with_exif(pd.DataFrame({"image": ["b.jpg", "a.jpg", "b.jpg"]}, index=[7, 8, 9]), tmp_path)
    assert rows["timestamp"].dt.year.tolist() == [2010, 2009, 2010]
