"""Records: each becomes a row, a failure or a count, and the numbers add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wildreid.data.fingerprints import headers
from wildreid.data.records import Records, read_json, read_texts, said
from wildreid.errors import UserError


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDREID_CACHE", str(tmp_path / "cache"))


def _photo(root: Path, name: str, size: tuple[int, int] = (60, 40), orientation: int = 1) -> None:
    picture = Image.new("RGB", size)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(root / name, exif=exif)


def _records(root: Path, images: list[str | None], **columns: list[object]) -> Records:
    rows = pd.DataFrame({"identity": [None] * len(images), **columns})
    records = Records(rows, [f"r{n}" for n in range(len(images))], root)
    records.locate(pd.Series(images, dtype="string"))
    return records


def test_the_first_fate_decides_and_all_adds_up(tmp_path: Path) -> None:
    _photo(tmp_path, "a.jpg")
    records = _records(tmp_path, ["a.jpg", "a.jpg", "gone.jpg", "https://x.org/b.jpg"])
    records.count([True, False, False, True], "blank")
    records.fail(pd.Series([True, False, pd.NA, False], dtype="boolean"), "never told")
    table = records.table(form="a test", notes=["A note."])
    assert table["image"].tolist() == ["a.jpg"]
    assert [(one.key, one.row, one.reason) for one in table.failures] == [
        ("r2", 3, "there is no such file"),
        ("r3", 4, "not on this machine: https://x.org/b.jpg"),
    ]
    assert table.origin is not None
    assert table.origin.says() == [
        "read as a test: 4 records = 1 row + 2 failures + 1 other",
        "failures: 1 × not on this machine · 1 × there is no such file",
        "others: 1 × blank",
        "A note.",
        "what is not on this machine is not fetched: download it, and set the folder in 'media'",
    ]


def test_animals_that_no_box_tells_apart_fail(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        _photo(tmp_path, name)
    records = _records(tmp_path, ["a.jpg", "a.jpg", "b.jpg", "b.jpg", "c.jpg", "c.jpg", "c.jpg"])
    none = [np.nan] * 4
    records.box(
        np.array([none, none, none, [1, 1, 9, 9], [1, 1, 9, 9], [1, 1, 9, 9], [2, 2, 9, 9]]), relative=False
    )
    table = records.table(form="a test")
    assert table["id"].tolist() == ["b.jpg#1,1,9,9", "c.jpg#1,1,9,9", "c.jpg#2,2,9,9"]
    assert [one.reason for one in table.failures] == [
        "2 individuals on one photo without boxes",
        "2 individuals on one photo without boxes",
        "another animal is on this photo, and no box tells them apart",
        "the same box is on this photo already",
    ]


def test_boxes_are_of_the_upright_photo(tmp_path: Path) -> None:
    _photo(tmp_path, "turned.jpg", (60, 40), orientation=6)
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    records = _records(tmp_path, ["turned.jpg", "broken.jpg"])
    records.box(np.array([[20, 10, 25, 6], [1, 1, 2, 2]], float), relative=False, stored=True)
    table = records.table(form="a test")
    assert table.rows.filter(like="box_").to_numpy().tolist() == [[40 - 16, 20, 6, 25]]
    assert "header" in table.failures[0].reason


def test_a_date_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        _photo(tmp_path, name)
    records = _records(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    records.date(pd.Series(["2021-05-01T10:00:00+02:00", "2021-13-01", None]))
    table = records.table(form="a test")
    assert table["timestamp"].tolist() == [pd.Timestamp("2021-05-01 10:00:00"), pd.NaT]
    assert table["utc_offset"][0] == 120
    assert [one.reason for one in table.failures] == ["the date cannot be read: 2021-13-01"]


@pytest.mark.parametrize(
    ("dates", "form", "word"),
    [
        (["4/5/2021", "2021-05-01"], None, "two ways"),
        (["1.2.2021", "3.4.2021"], "%Y-%m-%d", "cannot be read"),
        (["soon", None], None, "cannot be read"),
    ],
)
def test_dates_of_another_form_are_asked_about(
    tmp_path: Path, dates: list, form: str | None, word: str
) -> None:
    _photo(tmp_path, "a.jpg")
    with pytest.raises(UserError, match=word) as caught:
        _records(tmp_path, ["a.jpg", "a.jpg"]).date(pd.Series(dates), form=form, where="x.csv")
    assert "dates" in caught.value.cure


def test_exif_fills_what_is_missing(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        picture = Image.new("RGB", (8, 8))
        exif = picture.getexif()
        exif.get_ifd(0x8769)[0x9003] = "2021:05:01 10:00:00"
        exif.get_ifd(0x8769)[0xA431] = "X7"
        picture.save(tmp_path / name, exif=exif)
    records = _records(tmp_path, ["a.jpg", "b.jpg", "gone.jpg"])
    records.date(pd.Series(["2020-01-01 00:00:00", None, None]))
    records.exif()
    table = records.table(form="a test")
    assert table["timestamp"].astype(str).tolist() == ["2020-01-01 00:00:00", "2021-05-01 10:00:00"]
    assert table["camera"].tolist() == ["X7", "X7"]


def test_headers_are_remembered_until_a_file_changes(tmp_path: Path) -> None:
    _photo(tmp_path, "a.jpg", (60, 40), orientation=8)
    path = str(tmp_path / "a.jpg")
    for _ in range(2):
        assert headers([path, path, "gone"], cache=tmp_path / "c").tolist()[:2] == [[40, 60, 8]] * 2
    _photo(tmp_path, "a.jpg", (30, 20))
    (tmp_path / "a.jpg").touch()
    assert headers([path], cache=tmp_path / "c").tolist() == [[30, 20, 1]]


fates = st.lists(
    st.tuples(st.sampled_from(["a.jpg", "b.jpg", "gone.jpg", None]), st.integers(0, 3)), max_size=8
)


@given(fates)
def test_every_record_has_one_fate(tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple]) -> None:
    root = tmp_path_factory.mktemp("root")
    for name in ("a.jpg", "b.jpg"):
        (root / name).touch()
    records = _records(root, [image for image, _ in drawn])
    fate = np.array([number for _, number in drawn], int)
    records.count(fate == 1, "blank")
    records.fail(fate == 2, "wrong: itself")
    table = records.table(form="a test")
    origin = table.origin
    assert origin is not None
    assert origin.records == len(drawn)
    assert len(table) + len(table.failures) + sum(origin.counted.values()) == len(drawn)
    assert sum(origin.failures.values()) == len(table.failures)
    assert "wrong: itself" not in origin.failures


def test_words_mean_missing_only_where_they_are_named() -> None:
    values = pd.Series(["NA", " Bella ", "None", "", None])
    assert said(values).tolist() == ["NA", "Bella", "None", pd.NA, pd.NA]
    assert said(values, "None").isna().tolist() == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("content", "word"),
    [(b'{"a": 1,\n "b" 2}', "line 2, column 6"), (b"\xff\xfe{", "UTF-8"), (b"[" * 100_000, "cannot be read")],
)
def test_json_that_is_none_says_where(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(UserError, match=word):
        read_json(tmp_path / "x.json")


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbfid,name\n007,NA\n")
    assert read_json(tmp_path / "x.json") == {"a": 1}
    assert read_texts(tmp_path / "x.csv", required=["id"]).iloc[0].tolist() == ["007", "NA"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "cannot be read"),
        (b"a\n\xff\n", "UTF-8"),
        (b"id,b\n1,2,3\n4,5,6\n", "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(UserError, match=word):
        read_texts(tmp_path / "x.csv", required=["id"])
