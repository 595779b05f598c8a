from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wildreid.errors import UserError
from wildreid.population.deployments import deployments_of
from wildreid.population.effort import effort_of, occasions_of, placed, united


def deployments(*rows: tuple[str, str, str, str], **more: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["station", "camera", "start", "end"])
    return deployments_of(table.assign(**more))


ONE = deployments(("A", "c", "2024-05-01", "2024-05-21"))


def test_a_time_at_a_border_belongs_to_the_later_occasion() -> None:
    occasions, note = occasions_of(ONE, 5)
    times = pd.Series(
        pd.to_datetime(
            ["2024-05-01T00", "2024-05-05T23:59:59", "2024-05-06", "2024-05-20", "2024-05-21"],
            format="ISO8601",
        )
    )
    assert list(occasions.number(times)) == [1, 1, 2, 4, 5]
    assert (occasions.count, note) == (4, "")
    assert occasions.words() == "4 occasions of 5 days from 2024-05-01"


def test_a_last_occasion_that_is_not_whole_is_dropped_and_said_or_kept() -> None:
    occasions, note = occasions_of(ONE, 6)
    assert occasions.count == 3
    assert "the last 2 days, from 2024-05-19 00:00" in note
    occasions, note = occasions_of(ONE, 6, partial=True)
    assert (occasions.count, note) == (4, "")
    with pytest.raises(UserError, match="no whole occasion of 21 days"):
        occasions_of(ONE, 21)


def test_nights_are_whole_where_occasions_begin_at_noon() -> None:
    some = deployments(("A", "c", "2024-05-01T18:00:00", "2024-05-04T12:00:00"))
    occasions, _ = occasions_of(some, 1, start_hour=12)
    assert occasions.start == pd.Timestamp("2024-05-01 12:00")
    assert occasions.count == 3
    night = pd.Series(pd.to_datetime(["2024-05-01 23:00", "2024-05-02 02:00", "2024-05-02 13:00"]))
    assert list(occasions.number(night)) == [1, 1, 2]
    early, _ = occasions_of(deployments(("A", "c", "2024-05-02T09:00:00", "2024-05-05")), 1, start_hour=12)
    assert early.start == pd.Timestamp("2024-05-01 12:00")


def test_effort_is_the_share_of_each_day_without_problems_cameras_united_or_added() -> None:
    some = deployments(
        ("A", "c", "2024-05-01T12:00:00", "2024-05-05"),
        ("A", "d", "2024-05-02", "2024-05-04"),
        ("B", "e", "2024-05-01", "2024-05-05"),
        problem1_from=["", "", "2024-05-02T06:00:00"],
        problem1_to=["", "", "2024-05-02T12:00:00"],
    )
    occasions, _ = occasions_of(some, 2)
    assert effort_of(some, occasions).to_dict("list") == {1: [1.5, 1.75], 2: [2.0, 2.0]}
    assert effort_of(some, occasions, cameras_independent=True).loc["A"].tolist() == [2.5, 3.0]


def test_days_of_summer_time_have_24_hours_on_the_clock_on_the_wall() -> None:
    some = deployments(("A", "c", "2024-03-30", "2024-04-02"))  # Europe: 31 March had 23 hours
    occasions, _ = occasions_of(some, 1)
    assert effort_of(some, occasions).loc["A"].tolist() == [1.0, 1.0, 1.0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 40)), min_size=1, max_size=8))
def test_united_spans_hold_each_hour_once(spans: list[tuple[int, int]]) -> None:
    zero = pd.Timestamp("2024-05-01")
    hours = [(zero + pd.Timedelta(hours=low), zero + pd.Timedelta(hours=low + n)) for low, n in spans]
    found = united(hours)
    expected = {hour for low, n in spans for hour in range(low, low + n)}
    assert sum((high - low) / pd.Timedelta(hours=1) for low, high in found) == len(expected)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=2, max_size=2, unique=True),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=3),
    st.integers(1, 6),
)
def test_effort_hour_by_hour(ends: list[int], problems: list[tuple[int, int]], days: int) -> None:
    zero = pd.Timestamp("2024-05-01")

    def when(hour: int) -> str:
        return (zero + pd.Timedelta(hours=hour)).isoformat()

    columns = {}
    for n, (low, length) in enumerate(problems, 1):
        columns |= {f"problem{n}_from": [when(low), ""], f"problem{n}_to": [when(low + length), ""]}
    some = deployments(
        ("A", "c", when(min(ends)), when(max(ends))), ("B", "d", when(0), when(480)), **columns
    )
    occasions, _ = occasions_of(some, days, partial=True)
    bad = {hour for low, length in problems for hour in range(low, low + length)}
    expected = [
        sum(
            min(ends) <= hour < max(ends) and hour not in bad
            for hour in range(24 * days * k, 24 * days * (k + 1))
        )
        / 24
        for k in range(occasions.count)
    ]
    assert effort_of(some, occasions).loc["A"].tolist() == pytest.approx(expected)


def test_a_photo_belongs_to_the_camera_that_looked_half_open() -> None:
    some = deployments(
        ("A", "c", "2024-05-01", "2024-05-05"),
        ("A", "c2", "2024-05-05", "2024-05-09"),
        ("B", "d", "2024-05-01", "2024-05-09"),
    )
    photos = pd.DataFrame(
        [
            ("A", None, None, "2024-05-04 23:59:59"),
            ("A", None, None, "2024-05-05"),
            ("A", None, None, "2024-05-09"),
            (None, "d", None, "2024-05-02"),
            (None, "B", None, "2024-05-02"),
            ("A", "unknown model", None, "2024-05-02"),
            (None, None, "B", "2024-05-02"),
            (None, None, "elsewhere", "2024-05-02"),
            (None, None, None, "2024-05-02"),
            ("A", "d", None, "2024-05-02"),
        ],
        columns=["station", "camera", "deployment", "timestamp"],
    )
    photos["timestamp"] = pd.to_datetime(photos["timestamp"], format="ISO8601")
    assert placed(photos, some).tolist() == [0, 1, -1, 2, 2, 0, 2, -1, -1, -1]
