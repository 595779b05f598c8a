from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from wildreid.data.dates import read_dates
from wildreid.data.read import read_table
from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.places import cache_folder


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_identities_stay_text_and_unknown_columns_are_kept(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,weight,collar\na.jpg,007,3.5,x\nb.jpg,NA,,\n")
    rows = read_table(file, tmp_path, unknown=[]).rows
    assert rows["identity"].tolist() == ["007", "NA"]
    assert rows["weight"].tolist()[0] == 3.5
    assert rows["collar"][0] == "x"


def test_a_semicolon_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    file = written(tmp_path, "\ufeffimage;identity\na.jpg;Åse\n")
    assert read_table(file, tmp_path)["identity"].tolist() == ["Åse"]


def test_columns_can_be_mapped(tmp_path: Path) -> None:
    file = written(tmp_path, "path,who,split\na.jpg,1,train\n")
    rows = read_table(file, tmp_path, columns={"image": "path", "identity": "who", "part": "split"}).rows
    assert rows.loc[0, ["image", "identity", "part"]].tolist() == ["a.jpg", "1", "train"]
    with pytest.raises(UserError, match="no column 'name' to take as 'identity'; it has path, who, split"):
        read_table(file, tmp_path, columns={"identity": "name"})


def test_a_parquet_file_is_the_same_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"image": ["a.jpg"], "identity": ["x"], "timestamp": pd.to_datetime(["2021-05-01 10:00"])}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    rows = read_table(tmp_path / "t.parquet", tmp_path).rows
    assert rows["timestamp"][0] == pd.Timestamp("2021-05-01 10:00")


@pytest.mark.parametrize(
    ("text", "local", "offset"),
    [
        ("2017-07-19 21:09:05", "2017-07-19 21:09:05", None),
        ("2017-07-19T21:09:05-08:00", "2017-07-19 21:09:05", -480),
        ("2017-07-19T21:09:05+0530", "2017-07-19 21:09:05", 330),
        ("2017-07-19T21:09:05.250Z", "2017-07-19 21:09:05.250", 0),
        ("2017:07:19 21:09:05", "2017-07-19 21:09:05", None),
        ("2017-07-19", "2017-07-19", None),
        (" 2017-07-19 21:09 ", "2017-07-19 21:09", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_dates_stay_local_and_zones_are_kept(text: str | None, local: str | None, offset: int | None) -> None:
    times, offsets = read_dates(pd.Series([text], dtype="string"))
    assert times[0] == pd.Timestamp(local) if local else pd.isna(times[0])
    assert offsets[0] == offset if offset is not None else pd.isna(offsets[0])


def test_times_with_a_zone_of_their_own_become_local_ones() -> None:
    zoned = pd.Series(pd.to_datetime(["2021-01-01 10:00", "2021-07-01 10:00"])).dt.tz_localize("Europe/Oslo")
    times, offsets = read_dates(zoned)
    assert times.tolist() == [pd.Timestamp("2021-01-01 10:00"), pd.Timestamp("2021-07-01 10:00")]
    assert offsets.tolist() == [60, 120]


def test_a_date_that_could_be_read_in_two_ways_is_not_guessed_at(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,timestamp\na.jpg,x,2021-05-01\nb.jpg,x,03/04/2017\n")
    with pytest.raises(UserError, match=r"1 date cannot be read, such as '03/04/2017' in row 3") as caught:
        read_table(file, tmp_path)
    assert str(file) in str(caught.value)
    only = written(tmp_path, "image,identity,timestamp\nb.jpg,x,03/04/2017\n")
    assert read_table(only, tmp_path, dates="%d/%m/%Y")["timestamp"][0] == pd.Timestamp("2017-04-03")


def test_rows_without_an_image_are_failures(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "image,identity\na.jpg,x\n,y\nb.jpg,\n"), tmp_path)
    assert [(failure.row, failure.reason) for failure in table.failures] == [(3, "the row names no image")]
    assert table["identity"].isna().tolist() == [False, True]


def test_a_box_that_is_no_number_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,box_left\na.jpg,x,wide\n")
    with pytest.raises(UserError, match="box_left is 'wide' in row 2, not a number"):
        read_table(file, tmp_path)


def test_files_that_cannot_be_read_are_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such table"):
        read_table(tmp_path / "none.csv", tmp_path)
    (tmp_path / "bad.parquet").write_text("not parquet")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "bad.parquet", tmp_path)
    (tmp_path / "none.csv").write_bytes("image,identity\na.jpg,\x81\n".encode("latin-1"))
    with pytest.raises(UserError, match="save it as CSV UTF-8"):
        read_table(tmp_path / "none.csv", tmp_path)
    written(tmp_path, "", "empty.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "empty.csv", tmp_path)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("WILDREID_CACHE")
    assert "wildreid" in str(cache_folder())


def test_a_column_that_somebody_names_wins_over_the_tables_own(tmp_path: Path) -> None:
    file = written(tmp_path, "image,path,identity\nscan 1,a.jpg,Ada\n")
    table = read_table(file, tmp_path, columns={"image": "path"})
    assert table["image"].tolist() == ["a.jpg"]
    assert table["image (not taken)"].tolist() == ["scan 1"]
    assert any("another column is taken as image" in note for note in table.notes)


def test_a_column_that_is_taken_must_not_be_there_twice(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,identity\na.jpg,Ada,Bo\n")
    with pytest.raises(UserError, match="two columns 'identity', and they differ"):
        read_table(file, tmp_path)


@pytest.mark.parametrize(
    ("header", "columns"),
    [("date,time", {}), ("time,date", {}), ("day,clock", {"timestamp": "day", "time": "clock"})],
)
def test_a_time_of_day_beside_a_date_is_used(header: str, columns: dict[str, str], tmp_path: Path) -> None:
    cells = {"date": "01.05.2023", "time": "6:10:05 PM", "day": "01.05.2023", "clock": "6:10:05 PM"}
    row = ",".join(cells[name] for name in header.split(","))
    file = written(tmp_path, f"image,identity,{header}\na.jpg,Ada,{row}\nb.jpg,Ada,{row}\n")
    table = read_table(file, tmp_path, columns=columns)
    assert table["timestamp"].tolist() == [pd.Timestamp("2023-05-01 18:10:05")] * 2
    assert "day_only" not in table.rows
    assert "t.csv: the times of day in 'time' are taken with the dates" in table.notes


def test_days_alone_and_times_of_utc_are_told_of(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,timestamp\na.jpg,Ada,2023-05-01\nb.jpg,Ada,2023-05-01T06:10Z\n")
    table = read_table(file, tmp_path)
    assert table["day_only"].tolist() == [True, False]
    assert any("dates without a time of day: 1;" in note for note in table.notes)
    assert any("dates in UTC: 1;" in note for note in table.notes)


def boxes(folder: Path, *rows: tuple[float, ...]) -> Path:
    lines = ["image,identity,box_left,box_top,box_width,box_height"]
    for at, row in enumerate(rows):
        Image.new("RGB", (200, 100)).save(folder / f"{at}.png")
        lines.append(f"{at}.png,Ada,{','.join(map(str, row))}")
    return written(folder, "\n".join(lines))


def test_boxes_between_0_and_1_are_shares_of_the_image(tmp_path: Path) -> None:
    table = read_table(boxes(tmp_path, (0.1, 0.2, 0.5, 0.5), (0, 0, 1, 1), (0.5, 0.5, 0.6, 0.1)), tmp_path)
    assert table.rows[list(BOX)].to_numpy("float64").tolist() == [[20, 20, 100, 50], [0, 0, 200, 100]]
    assert [(one.row, one.reason.partition(":")[0]) for one in table.failures] == [
        (4, "the box leaves the photo")
    ]
    assert (
        "t.csv: the boxes lie between 0 and 1: read as shares of their image's width and height"
        in table.notes
    )


def test_a_share_among_boxes_in_pixels_is_a_failure(tmp_path: Path) -> None:
    table = read_table(boxes(tmp_path, (10, 20, 50, 50), (0.1, 0.2, 0.5, 0.5)), tmp_path)
    assert table["image"].tolist() == ["0.png"]
    assert [(one.row, one.reason[:27]) for one in table.failures] == [(3, "the box is at most a pixel:")]


def test_shares_of_images_that_cannot_be_measured_are_refused_or_failures(tmp_path: Path) -> None:
    file = boxes(tmp_path, (0.1, 0.2, 0.5, 0.5), (0.1, 0.2, 0.5, 0.5))
    (tmp_path / "0.png").write_bytes(b"none")
    assert [one.row for one in read_table(file, tmp_path).failures] == [2]
    (tmp_path / "1.png").unlink()
    with pytest.raises(UserError, match="none of the images can be opened"):
        read_table(file, tmp_path)


def test_answers_are_read_by_their_ids(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "image,verdict,individual\na#1.jpg#10,20,30,40,known,Ada\n".replace(
            "a#1.jpg#10,20,30,40", '"a#1.jpg#10,20,30,40"'
        )
        + "b.jpg,new,\n",
    )
    table = read_table(file, tmp_path)
    assert table["id"].tolist() == ["a#1.jpg#10,20,30,40", "b.jpg"]
    assert table["image"].tolist() == ["a#1.jpg", "b.jpg"]
    assert table["identity"].isna().tolist() == [False, True]


def test_paths_are_read_as_other_systems_write_them(tmp_path: Path) -> None:
    (tmp_path / "2023").mkdir()
    for name in ("A.JPG", "b.jpg"):
        (tmp_path / "2023" / name).touch()
    file = written(tmp_path, f"image,identity\n2023\\a.jpg,Ada\n{tmp_path}/2023/b.jpg,Ada\n")
    assert read_table(file, tmp_path)["image"].tolist() == ["2023/A.JPG", "2023/b.jpg"]
