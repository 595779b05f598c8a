from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.errors import UserError
from wildreid.population.deployments import deployments_of, read_deployments


def table(**columns: object) -> pd.DataFrame:
    base = {"station": ["A", "B"], "start": ["2024-05-01", "2024-05-01"], "end": ["2024-05-11", "2024-05-11"]}
    return pd.DataFrame({**base, **columns})


def test_problems_are_taken_out_of_the_time_that_a_camera_worked() -> None:
    found = deployments_of(
        table(
            problem1_from=["2024-05-03", ""],
            problem1_to=["2024-05-05", ""],
            Problem2_from=["2024-05-04T12:00:00", "2024-04-01"],
            Problem2_to=["2024-05-06", "2024-05-02"],
        )
    )
    assert [[f"{end:%d}" for period in one for end in period] for one in found["periods"]] == [
        ["01", "03", "06", "11"],
        ["02", "11"],
    ]
    assert list(found["deployment"]) == ["A", "B"]
    assert list(found["camera"]) == ["A", "B"]


def test_a_camera_that_never_worked_has_no_time() -> None:
    found = deployments_of(table(problem1_from=["2024-04-01", ""], problem1_to=["2024-06-01", ""]))
    assert found["periods"][0] == ()


def test_times_with_a_zone_are_turned_into_the_survey_s() -> None:
    given = table(start=["2024-05-01T22:00:00Z", "2024-05-01T12:00:00"])
    found = deployments_of(given, timezone="Europe/Brussels")
    assert list(found["start"]) == [pd.Timestamp("2024-05-02"), pd.Timestamp("2024-05-01 12:00")]
    assert list(found["start_offset"]) == [120, 120]
    found = deployments_of(given)
    assert found["start"][0] == pd.Timestamp("2024-05-01 22:00")
    assert found["start_offset"][0] == 0
    assert pd.isna(found["start_offset"][1])


def test_several_deployments_of_a_station_are_numbered() -> None:
    found = deployments_of(
        table(station=["A", "A"], start=["2024-05-01", "2024-05-11"], end=["2024-05-11", "2024-05-20"])
    )
    assert list(found["deployment"]) == ["A-1", "A-2"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"end": ["2024-05-11", ""]}, "the end is missing"),
        ({"end": ["2024-05-11", "2024-05-01"]}, "not after its start"),
        ({"start": ["2024-05-01", "1.5.2024"]}, "'1.5.2024' is no time"),
        ({"station": ["A", ""]}, "names no station"),
        ({"camera": ["c", "c"]}, "camera 'c' is in two places at once: rows 1 and 2"),
        ({"station": ["A", "A"]}, "two places at once"),
        ({"deployment": ["d", "d"]}, "two deployments are named 'd'"),
        ({"problem1_from": ["2024-05-03", ""], "problem1_to": ["", ""]}, "problem 1 lacks its end"),
        ({"problem1_from": ["2024-05-03", ""], "problem1_to": ["2024-05-02", ""]}, "problem 1 ends at"),
        ({"x": ["1", ""], "y": ["2", ""]}, "x and y are given for other rows"),
        ({"x": ["1", "east"], "y": ["2", "3"]}, "x is 'east', which is no number"),
        ({"latitude": ["91", "1"], "longitude": ["1", "1"]}, "latitude is 91"),
        ({"coordinate_uncertainty": ["0", "1"]}, "coordinate_uncertainty is 0"),
        ({"session": ["2023", "2024"]}, "several sessions"),
        (
            {"station": ["A", "A"], "camera": ["c", "d"], "x": ["1", "2"], "y": ["1", "1"]},
            "station 'A' has two positions",
        ),
    ],
)
def test_mistakes_are_named_with_their_row(columns: dict[str, list[str]], words: str) -> None:
    with pytest.raises(UserError) as caught:
        deployments_of(table(**columns))
    assert words in str(caught.value)


def test_a_file_is_read_whatever_its_mark_and_refused_where_it_is_none(tmp_path: Path) -> None:
    file = tmp_path / "d.csv"
    file.write_bytes(b"\xef\xbb\xbfstation,start,end\nNA,2024-05-01,2024-05-02\n")
    assert read_deployments(file)["station"][0] == "NA"
    for data, words in (
        (b"station,start\nA,2024-05-01\n", "no column end"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"", "cannot be read"),
    ):
        file.write_bytes(data)
        with pytest.raises(UserError, match=words):
            read_deployments(file)
    with pytest.raises(UserError, match="there is no file"):
        read_deployments(tmp_path / "none.csv")
    with pytest.raises(UserError, match="no time zone 'Mars'"):
        deployments_of(table(), timezone="Mars")
