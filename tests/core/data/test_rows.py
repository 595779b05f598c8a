from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.rows import read_rows
from wildreid.errors import UserError


def read(folder: Path, content: bytes) -> tuple[pd.DataFrame, list[str]]:
    (folder / "t.csv").write_bytes(content)
    return read_rows(folder / "t.csv")


TEXT = "image;identity\na.jpg;Åse\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"), b"sep=;\r\n" + TEXT.encode(), ("sep=|\n" + TEXT.replace(";", "|")).encode(),
        TEXT.replace(";", "\t").encode("utf-16"), TEXT.replace("\n", "\r\n").encode(),
    ],
)  # fmt: skip
def test_what_programs_save_is_read(tmp_path: Path, content: bytes) -> None:
    rows, _ = read(tmp_path, content)
    assert rows.drop(columns="table_row").to_dict("list") == {"image": ["a.jpg"], "identity": ["Åse"]}


def test_a_guess_of_the_encoding_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode("cp1252"))[1] == ["not UTF-8, so read as Windows-1252, such as 'Åse'"]


def test_rows_have_the_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b'image,note\na.jpg,"two\nlines"\n\n,\nb.jpg,x\n')
    assert rows["table_row"].tolist() == [2, 4, 5]
    assert rows["image"].isna().tolist() == [
        False,
        True,
        False,
    ]  # a row of nothing is a row, a blank line is none
    rows, _ = read(tmp_path, b"sep=,\nimage,note\na.jpg,x\n")
    assert rows["table_row"].tolist() == [2]  # a spreadsheet does not show the first line


def test_decimal_commas(tmp_path: Path) -> None:
    rows, notes = read(tmp_path, b"image;box_left;note\na.jpg;2,5;1,5\nb.jpg;3;one\n")
    assert rows["box_left"].tolist() == ["2.5", "3"]
    assert rows["note"].tolist() == ["1,5", "one"]
    assert notes == ["'box_left' has decimal commas"]
    rows, notes = read(tmp_path, b'image,box_left\na.jpg,"1,234"\n')  # a thousand, or a comma: not touched
    assert (rows["box_left"].tolist(), notes) == (["1,234"], [])


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    rows, notes = read(tmp_path, b"image,identity, image\na.jpg,x,a.jpg\n")
    assert list(rows) == ["image", "identity", "table_row"]
    assert notes == ["'image' is there twice, with the same values"]
    rows, _ = read(tmp_path, b"image,note,note\na.jpg,x,y\n")
    assert list(rows) == ["image", "note", "note (again)", "table_row"]


def test_more_cells_than_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="more cells than the header"):
        read(tmp_path, b"image,identity\na.jpg,x,y\nb.jpg,x,y\n")


def test_a_guard_against_formulas_is_taken_off(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, b"image,identity\n'-1.jpg,'=Ada\n'a.jpg,O'Neil\n")
    assert rows["image"].tolist() == ["-1.jpg", "'a.jpg"]
    assert rows["identity"].tolist() == ["=Ada", "O'Neil"]


def test_bytes_in_parquet_are_text_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pd.DataFrame({"image": ["Åse.jpg".encode()], "n": [1]}).to_parquet(file)
    assert read_rows(file)[0]["image"].tolist() == ["Åse.jpg"]
    pd.DataFrame({"image": [b"\xff\xfe"]}).to_parquet(file)
    with pytest.raises(UserError, match="'image' holds bytes that are no text"):
        read_rows(file)
