from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.core.data.generated_tables import annotated

from wildreid.data.groups import annotate
from wildreid.data.splits import split
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters
from wildreid_plugins.splitters import TimeCutoff


def days(*each: str | None) -> Table:
    rows = pd.DataFrame(
        {"image": [f"{n:02d}.jpg" for n in range(len(each))], "timestamp": pd.to_datetime(list(each))}
    )
    rows = rows.assign(
        identity=[f"w{n % 2}" for n in range(len(each))], camera=[f"c{n}" for n in range(len(each))]
    )
    return annotate(Table.of(rows, Path("/photos")), Encounters())


def test_the_gallery_is_before_and_the_queries_are_after() -> None:
    answer = split(annotated(3), TimeCutoff(), seed=0).rows
    first = answer.loc[answer["part"] == "test", "timestamp"].min()
    assert (answer.loc[answer["part"].isin(["train", "val"]), "timestamp"] < first).all()
    roles = answer.dropna(subset=["part"]).groupby("part")["role"].unique()
    assert {part: list(role) for part, role in roles.items()} == {
        "test": ["query"], "train": ["gallery"], "val": ["both"],
    }  # fmt: skip
    assert answer.loc[answer["timestamp"].isna(), "part"].isna().all()


def test_the_date_is_the_first_day_of_test() -> None:
    table = days(
        "2021-05-01 10:00", "2021-05-02 10:00", "2021-05-03 10:00", "2021-05-04 00:00", "2021-05-05 10:00"
    )
    answer = split(table, TimeCutoff(cutoff=date(2021, 5, 4), val=0.34), seed=0)
    assert answer["part"].tolist() == ["train", "train", "val", "test", "test"]


def test_without_a_date_test_has_its_share() -> None:
    table = days(*[f"2021-05-{day:02d} 10:00" for day in range(1, 21)])
    counts = split(table, TimeCutoff(test=0.25, val=0.2), seed=0)["part"].value_counts()
    assert counts.to_dict() == {"train": 12, "test": 5, "val": 3}


def test_a_night_that_began_before_is_not_continued_in_test() -> None:
    rows = [("2021-05-01 10:00", "a"), ("2021-05-02 10:00", "b"), ("2021-05-02 23:55", "a"),
            ("2021-05-03 00:05", "a"), ("2021-05-03 12:00", "a"), ("2021-05-04 12:00", "b")]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["timestamp", "identity"]).assign(camera="cam")
    frame = frame.assign(timestamp=pd.to_datetime(frame["timestamp"]), image=[f"{n}.jpg" for n in range(6)])
    table = annotate(Table.of(frame, Path("/photos")), Encounters())
    parts = split(table, TimeCutoff(cutoff=date(2021, 5, 3), val=0.5), seed=0)["part"]
    assert parts[2] == "val"
    assert parts[3:5].isna().all()
    assert parts[5] == "test"


def test_without_any_date_there_is_no_before_and_after() -> None:
    with pytest.raises(UserError, match="no before and after"):
        split(days(None, None, None), TimeCutoff(), seed=0)
