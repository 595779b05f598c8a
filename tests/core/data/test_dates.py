from __future__ import annotations

import pandas as pd
import pytest

from wildreid.data.dates import are_clocks, days_alone, doubts, guess_form, read_clocks, read_dates
from wildreid.errors import UserError


def texts(*values: str | None) -> pd.Series[str]:
    return pd.Series(list(values), dtype="string")


def test_a_form_with_zones_gives_local_times_and_offsets() -> None:
    values = texts("01.05.2023 06:10:00 +02:00", "01.11.2023 06:10:00 +0100", "02.11.2023 06:10:00 Z", None)
    for form in ("%d.%m.%Y %H:%M:%S %z", guess_form(values)):
        local, offset = read_dates(values, form=form)  # type: ignore[arg-type]
        assert local[0] == pd.Timestamp("2023-05-01 06:10")
        assert offset.tolist()[:3] == [120, 60, 0]
        assert pd.isna(local[3])
        assert pd.isna(offset[3])


@pytest.mark.parametrize("text", ["2023", "2023-05", "202305", "2023-13-01", "+01:00"])
def test_half_a_date_is_no_day(text: str) -> None:
    with pytest.raises(UserError, match="1 date cannot be read"):
        read_dates(texts(text))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2023-05-01 06:10:00 UTC", 0),
        ("20230501T061000Z", 0),
        ("20230501T0610+0530", 330),
        ("2023-05-01T06:10-03", -180),
    ],
)
def test_zones_of_iso_dates(text: str, minutes: int) -> None:
    local, offset = read_dates(texts(text))
    assert local[0] == pd.Timestamp("2023-05-01 06:10")
    assert offset[0] == minutes


def test_days_of_excel_and_seconds_of_unix() -> None:
    serial = texts("45047.256944", "45047,5", None)
    with pytest.raises(UserError, match=r"2023-05-01 06:10:00\), give 'dates: excel'"):
        read_dates(serial)
    assert read_dates(serial, form="excel")[0].tolist()[:2] == [
        pd.Timestamp("2023-05-01 06:10"), pd.Timestamp("2023-05-01 12:00"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="give 'dates: unix'"):
        read_dates(texts("1682921400"))
    for seconds in ("1682921400", "1682921400000"):
        local, offset = read_dates(texts(seconds), form="unix")
        assert local[0] == pd.Timestamp("2023-05-01 06:10")
        assert offset[0] == 0
    with pytest.raises(UserError, match="cannot be read"):
        read_dates(texts("soon"), form="excel")


def test_day_first_and_month_first_are_both_named_where_both_fit() -> None:
    values = texts("01/05/2023 06:10", "02/05/2023 06:10")
    with pytest.raises(UserError, match="'%d/%m/%Y %H:%M' or '%m/%d/%Y %H:%M'"):
        read_dates(values)
    assert guess_form(texts("01/05/2023 06:10 PM", "31/05/2023 06:10 AM")) == "%d/%m/%Y %I:%M %p"


def test_a_message_calls_a_row_what_the_index_does() -> None:
    with pytest.raises(UserError, match="'soon' in row 11"):
        read_dates(texts("2023-05-01", "soon").set_axis([10, 11]))


def test_days_without_a_time_are_told_from_midnight() -> None:
    mixed = texts("2023-05-01", "2023-05-01 00:00:00", "2023-05-01 06:10", None)
    assert days_alone(mixed, read_dates(mixed)[0]).tolist() == [True, False, False, False]
    days = texts("2023-05-01 00:00:00", "2023-05-02 00:00:00")  # as programs write days
    assert days_alone(days, read_dates(days)[0]).all()


def test_times_of_day() -> None:
    values = texts("06:10", "6:10:05", "6:10 PM", "12:05 a.m.", None)
    assert are_clocks(values)
    assert not are_clocks(texts("06:10", "2023-05-01"))
    hours = read_clocks(values) / pd.Timedelta(hours=1)
    assert hours.tolist()[:4] == pytest.approx([6 + 10 / 60, 6 + 10 / 60 + 5 / 3600, 18 + 10 / 60, 5 / 60])
    with pytest.raises(UserError, match="'25:00' in row 1"):
        read_clocks(texts("06:10", "25:00"))


def test_clocks_that_were_never_set_are_told_of_with_their_camera() -> None:
    year = pd.Timestamp.now().year + 5
    times = pd.Series(pd.to_datetime(["2000-01-01", "1984-05-01", f"{year}-05-01", "2023-05-01"]))
    notes = doubts(times, pd.Series(["S1", "S2", "S3", "S4"]))
    assert [note.split(" may be wrong")[0] for note in notes] == [
        "1 of 4 dates of S1", "1 of 4 dates of S2", "1 of 4 dates of S3",
    ]  # fmt: skip
    assert doubts(times[3:], pd.Series(["S4"], index=[3])) == []
