from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.names import plain, settled, spelling, variants
from wildreid.data.table import Table
from wildreid.errors import UserError


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_blanks_accents_and_floats_have_one_form() -> None:
    rows, notes = plain(frame(identity=[" Ada", "Zoe\u0308", "7.0", "007", None], camera=["S0 "] * 5))
    assert rows["identity"].tolist()[:4] == ["Ada", "Zo\u00eb", "7", "007"]
    assert rows["identity"].isna().tolist() == [False] * 4 + [True]
    assert rows["camera"].tolist() == ["S0"] * 5
    assert "'identity': blanks at the ends are left out, such as of ' Ada' (1 row)" in notes
    assert "'camera': blanks at the ends are left out, such as of 'S0 ' (5 rows)" in notes
    assert "'identity': 7.0 is read as 7, such as of '7.0' (1 row)" in notes
    assert "'identity': is this one name? '7' (1) and '007' (1)" in notes


def test_a_column_of_floats_gives_whole_numbers() -> None:
    rows = pd.DataFrame({"image": ["a.jpg", "b.jpg", "c.jpg"], "identity": [7.0, 12.0, None]})
    table = Table.of(rows, Path("/photos"))
    assert table["identity"].tolist()[:2] == ["7", "12"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada", "ada", True), ("Old  Tom", "old_tom", True), ("007", "7", True), ("7.0", "7", True),
        ("Zo\u00eb", "Zoe\u0308", True),
        ("STRASSE", "stra\u00dfe", True), ("Zo\u00eb", "Zoe", True),
        ("A1", "A-1", False), ("A 1", "A-1", True), ("1-12", "11-2", False), ("?", "!", False), ("0", "00", True),
    ],
)  # fmt: skip
def test_what_a_reader_takes_for_one_name(one: str, other: str, same: bool) -> None:
    assert (spelling(one) == spelling(other)) is same


def test_variants_are_told_of_with_their_counts() -> None:
    assert variants(["Ada", "ada", "Ada", "Bo"]) == ["'Ada' (2) and 'ada' (1)"]


def test_a_word_that_may_mean_unknown_is_asked_about_once() -> None:
    rows = frame(identity=["Ada", "NA", "na", "Unknown", "?"], camera=["S1", "NA", "S1", "S1", "S1"])
    with pytest.raises(UserError) as caught:
        settled(rows, None, where="t.csv")
    assert "'identity' says '?' (1 row), 'NA' (1 row), 'Unknown' (1 row), 'na' (1 row)" in str(caught.value)
    assert "'camera' says 'NA' (1 row)" in str(caught.value)
    assert "unknown: ['?', NA, Unknown, na]" in str(caught.value)
    found, notes = settled(rows, ["?", "na", "unknown"])
    assert found["identity"].isna().tolist() == [False, True, True, True, True]
    assert found["camera"].isna().sum() == 1
    assert "'camera': 1 × 'NA': not known" in notes


def test_an_animal_may_be_called_so_and_that_is_said() -> None:
    rows = frame(identity=["Ada", "NA"])
    kept, notes = settled(rows, [])
    assert kept["identity"].tolist() == ["Ada", "NA"]
    assert notes == ["'identity': 'NA' is a name"]
    assert settled(rows, ["Unknown"])[1] == ["'identity': 'NA' is a name"]


def test_any_word_can_be_said_to_mean_unknown() -> None:
    found, _ = settled(frame(identity=["Ada", "Rest of them"]), ["rest of them"])
    assert found["identity"].isna().tolist() == [False, True]


def test_a_letter_is_a_word_for_unknown_only_among_longer_names() -> None:
    assert settled(frame(identity=["x", "y"]), None)[1] == []
    with pytest.raises(UserError, match="'x'"):
        settled(frame(identity=["x", "Ada"]), None)


def test_where_nobody_is_named_and_in_other_columns_it_means_unknown_and_is_counted() -> None:
    rows = frame(identity=["NA", "Ada"], timestamp=["NA", "2023-05-01"], viewpoint=["unknown", "left"])
    found, notes = settled(rows, None, ask=False)
    assert found.isna().sum().tolist() == [1, 1, 1]
    assert "'timestamp': 1 × 'NA': not known" in notes


def test_what_steers_a_terminal_is_no_part_of_a_name() -> None:
    rows, notes = plain(frame(identity=["\x1b[31mAda\x1b[0m", "B\x07o"]))
    assert rows["identity"].tolist() == ["Ada", "Bo"]
    assert "what steers a terminal is left out" in notes[0]
    assert "\x1b" not in notes[0]
