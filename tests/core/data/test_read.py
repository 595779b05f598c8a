from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.dates import read_dates
from wildreid.data.read import read_table
from wildreid.errors import UserError
from wildreid.places import cache_folder


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_identities_stay_text_and_unknown_columns_are_kept(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,weight,collar\na.jpg,007,3.5,x\nb.jpg,NA,,\n")
    rows = read_table(file, tmp_path).rows
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
    with pytest.raises(UserError, match=r"1 dates cannot be read, such as '03/04/2017' in row 2") as caught:
        read_table(file, tmp_path)
    assert str(file) in str(caught.value)
    only = written(tmp_path, "image,identity,timestamp\nb.jpg,x,03/04/2017\n")
    assert read_table(only, tmp_path, dates="%d/%m/%Y")["timestamp"][0] == pd.Timestamp("2017-04-03")


def test_rows_without_an_image_are_failures(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "image,identity\na.jpg,x\n,y\nb.jpg,\n"), tmp_path)
    assert [(failure.row, failure.reason) for failure in table.failures] == [(2, "the row names no image")]
    assert table["identity"].isna().tolist() == [False, True]


def test_a_box_that_is_no_number_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "image,identity,box_left\na.jpg,x,wide\n")
    with pytest.raises(UserError, match="box_left is 'wide' in row 1, not a number"):
        read_table(file, tmp_path)


def test_files_that_cannot_be_read_are_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such table"):
        read_table(tmp_path / "none.csv", tmp_path)
    (tmp_path / "bad.parquet").write_text("not parquet")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "bad.parquet", tmp_path)
    (tmp_path / "latin.csv").write_bytes("image,identity\na.jpg,\xc5se\n".encode("latin-1"))
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "latin.csv", tmp_path)
    written(tmp_path, "", "empty.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "empty.csv", tmp_path)


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("WILDREID_CACHE")
    assert "wildreid" in str(cache_folder())
