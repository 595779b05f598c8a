"""Encounters and sequences that the data set names are honoured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wildreid.data.groups import annotate
from wildreid.data.read import read_table
from wildreid.data.splits import divisions
from wildreid.data.table import Table
from wildreid.evaluation.protocols import usable
from wildreid.recipe.settings import Encounters

DAY = "2024-05-01 10:00:0"


def told(rows: list[tuple[str | None, str | None, str | None, str | None]], **columns: Any) -> pd.DataFrame:
    """Rows of identity, time, encounter, sequence; all at one camera."""
    frame = pd.DataFrame(rows, columns=["identity", "timestamp", "encounter", "sequence"])
    frame = frame.assign(image=[f"{n}.jpg" for n in range(len(rows))], camera="gate", **columns)
    return annotate(Table.of(frame, Path("/photos")), Encounters()).rows


def sets(names: pd.Series[Any]) -> list[list[int]]:
    return sorted(sorted(rows) for rows in names.groupby(names).indices.values())


def test_a_given_encounter_stands_apart_even_on_one_day_and_camera() -> None:
    rows = told([("a", f"{DAY}1", "x", None), ("a", f"{DAY}2", "y", None), ("a", f"{DAY}3", "x", None)])
    assert sets(rows["encounter"]) == [[0, 2], [1]]
    assert sets(rows["group"]) == [[0, 1, 2]]  # what one camera shows in a day is never divided
    assert rows["given_encounter"].tolist() == ["x", "y", "x"]


def test_an_encounter_is_of_one_identity() -> None:
    rows = told([("a", None, "x", None), ("b", None, "x", None), ("a", None, "x", None)])
    assert sets(rows["encounter"]) == [[0, 2], [1]]
    assert rows["encounter"].tolist() == ["a | x", "b | x", "a | x"]


def test_without_dates_given_encounters_or_sequences_tell_encounters_apart() -> None:
    for column in ("encounter", "sequence"):
        rows: list[Any] = [("a", None, None, None)] * 6
        frame = pd.DataFrame(rows, columns=["identity", "timestamp", "encounter", "sequence"])
        frame[column] = ["x", "x", "y", None, None, "z"]
        frame = frame.assign(image=[f"{n}.jpg" for n in range(6)], camera="gate", part="test")
        table = annotate(Table.of(frame, Path("/photos")), Encounters())
        assert sets(table["encounter"]) == [[0, 1], [2], [3, 4], [5]]
        assert usable(table, "cross-encounter") is None
        bare = annotate(Table.of(frame.drop(columns=column), Path("/photos")), Encounters())
        assert usable(bare, "cross-encounter") == "no dates: encounters cannot be told apart"


def test_a_given_sequence_is_never_divided() -> None:
    rows = told(
        [("a", f"{DAY}1", None, "s"), ("a", "2024-06-01 10:00:00", None, "s"), ("b", None, None, "s")]
    )
    assert sets(rows["sequence"]) == [[0, 1, 2]]
    assert sets(rows["encounter"]) == [[0, 1], [2]]
    assert sets(rows["group"]) == [[0, 1, 2]]


def test_the_same_photo_joins_two_given_encounters() -> None:
    rows = told(
        [("a", None, "x", None), ("a", None, "y", None), ("a", None, "z", None)], content=["1", "1", "2"]
    )
    assert sets(rows["encounter"]) == [[0, 1], [2]]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_annotated_twice_is_what_is_annotated_once(seed: int) -> None:
    draw = np.random.default_rng(seed)
    some = [None, "x", "y", "z"]
    rows = [
        (f"i{draw.integers(4)}", None if draw.random() < 0.4 else f"2024-05-0{draw.integers(1, 5)} 10:00",
         some[draw.integers(4)], some[draw.integers(4)])
        for _ in range(40)
    ]  # fmt: skip
    once = told(rows)
    again = annotate(Table(once, Path("/photos")), Encounters()).rows
    pd.testing.assert_frame_equal(once, again)
    spread = np.where(once["group"].isin(once["group"].unique()[::2]), "train", "test")
    assert divisions(Table(once.assign(part=spread), Path("/photos"))) == []
    for (who, given), together in once.dropna(subset="given_encounter").groupby(
        ["identity", "given_encounter"]
    ):
        assert together["encounter"].nunique() == 1, (who, given)


def test_numbers_and_blanks_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "image,identity,encounter\n1.jpg,a,007\n2.jpg,a,\n3.jpg,a, \n4.jpg,a,007\n"
    )
    rows = annotate(read_table(tmp_path / "t.csv", tmp_path), Encounters()).rows
    assert rows["given_encounter"].tolist() == ["007", pd.NA, pd.NA, "007"]
    assert sets(rows["encounter"]) == [[0, 3], [1, 2]]
