"""The columns that a table carries, in their types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.read import read_table
from wildreid.data.table import OF_DECISION, OF_PHOTO, Failure, Origin, Table
from wildreid.errors import UserError

TOLD = """\
image,identity,station,event,sex,latitude,utc_offset,probability,private,decided_at,decided_by,bait
1.jpg,NA,007,12,female,50.5,120,0.9,true,2024-05-01T09:30:00+02:00,Ada,fish
2.jpg,,,,,,,,,,,
3.jpg,Bo,008,13,male,-1,-480,1,0,2024-05-01T09:30:00Z,Bob,none
"""


def test_what_is_known_is_read_in_its_type_and_the_rest_is_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TOLD)
    table = read_table(tmp_path / "t.csv", tmp_path, unknown=[])
    assert table["station"].tolist() == ["007", pd.NA, "008"]
    assert table["event"].tolist() == ["12", pd.NA, "13"]
    assert table["latitude"].tolist() == [50.5, pd.NA, -1]
    assert table["private"].tolist() == [True, pd.NA, False]
    assert table["decided_at"][0] == pd.Timestamp("2024-05-01 07:30", tz="UTC")
    assert pd.isna(table["decided_at"][1])
    assert table["bait"].tolist()[::2] == ["fish", "none"]
    again = tmp_path / "t.parquet"
    table.save(again)
    assert Table.load(again, tmp_path).rows.equals(table.rows)


@pytest.mark.parametrize(
    ("column", "value"), [("latitude", "50 N"), ("private", "perhaps"), ("decided_at", "yesterday")]
)
def test_what_a_column_cannot_hold_is_refused_with_its_row(column: str, value: str) -> None:
    rows = pd.DataFrame({"image": ["1.jpg", "2.jpg"], "identity": "a", column: [None, value]})
    with pytest.raises(UserError, match=f"'{column}' holds '{value}'") as caught:
        Table.of(rows, Path("/photos"))
    assert caught.value.where == "row 2"


def test_no_column_is_made_that_nobody_spoke_of() -> None:
    table = Table.of(pd.DataFrame({"image": ["1.jpg"], "identity": ["a"]}), Path("/photos"))
    assert not {*OF_PHOTO, *OF_DECISION} & set(table.rows)


def test_an_origin_stays_with_its_table() -> None:
    origin = Origin("a test", 1, 1, {}, {})
    table = Table(pd.DataFrame({"image": ["1.jpg"]}), Path("/photos"), origin=origin)
    assert table.with_rows(table.rows).with_failures([Failure("2.jpg", "gone")]).origin is origin


def test_a_private_photo_is_withheld_where_no_box_says_which_part_is_meant() -> None:
    box = {"box_left": 1, "box_top": 1, "box_width": 2, "box_height": 2}
    rows = pd.DataFrame(
        [
            {"image": "1.jpg", "private": True},
            {"image": "2.jpg", "private": True, **box},
            {"image": "3.jpg", "private": False},
            {"image": "4.jpg", "private": None},
        ]
    ).assign(identity="a")
    table = Table.of(rows, Path("/photos"))
    assert [table.withheld(row) for row in range(4)] == [True, False, False, False]


def test_rows_that_are_kept_are_no_failures() -> None:
    rows = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "identity": ["cow 1", "cow 2"]})
    assert Table.of(rows, Path("/nowhere")).failures == ()
