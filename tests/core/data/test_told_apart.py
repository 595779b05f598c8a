from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wildreid.data.groups import annotate
from wildreid.data.table import BOX, Table
from wildreid.recipe.settings import Encounters

ROOT = Path("/photos")


def table(*rows: tuple[str, str | None, tuple[float, ...] | None], **columns: list[object]) -> Table:
    frame = pd.DataFrame(
        {
            "image": [image for image, _, _ in rows],
            "identity": [who for _, who, _ in rows],
            **{side: [box and box[at] for _, _, box in rows] for at, side in enumerate(BOX)},
            **columns,
        }
    )
    return Table.of(frame, ROOT)


def told(of: Table) -> list[tuple[str, str, int | None]]:
    return [(one.image, one.reason, one.row) for one in of.failures]


def test_every_box_that_is_none_is_a_failure_with_its_row() -> None:
    nan, inf = np.nan, np.inf
    found = table(
        ("a.jpg", "Ada", (1, 2, 30, 40)),
        ("b.jpg", "Ada", (1, nan, 30, nan)),
        ("c.jpg", "Ada", (1, 2, 0, 40)),
        ("d.jpg", "Ada", (1, 2, inf, 40)),
        ("e.jpg", "Ada", (1e308, 2, 30, 40)),
        ("f.jpg", "Ada", None),
    )
    assert found["image"].tolist() == ["a.jpg", "f.jpg"]
    assert told(found) == [
        ("b.jpg", "half a box: box_top and box_height are missing", 2),
        ("c.jpg", "the box has no area", 3),
        ("d.jpg", "the box lies beyond any photo", 4),
        ("e.jpg", "the box lies beyond any photo", 5),
    ]


def test_two_animals_that_nothing_tells_apart_are_failures_all_of_them() -> None:
    found = table(
        ("a.jpg", "Ada", None),
        ("a.jpg", "Bo", None),
        ("b.jpg", "Ada", (1, 2, 30, 40)),
        ("b.jpg", "Bo", None),
        ("c.jpg", "Ada", None),
        ("c.jpg", "Ada", None),
        ("d.jpg", "Ada", (1, 2, 30, 40)),
        ("d.jpg", "Bo", (1, 2, 30, 40)),
        ("e.jpg", "Ada", (1, 2, 30, 40)),
        ("e.jpg", "Ada", None),
    )
    assert found["id"].tolist() == ["b.jpg#1,2,30,40", "c.jpg", "e.jpg#1,2,30,40", "e.jpg"]
    assert told(found) == [
        ("a.jpg", "2 individuals on one photo without boxes", 1),
        ("a.jpg", "2 individuals on one photo without boxes", 2),
        ("b.jpg", "another animal is on this photo, and no box tells them apart", 4),
        ("c.jpg", "it is in an earlier row already", 6),
        ("d.jpg", "2 individuals in one box", 7),
        ("d.jpg", "2 individuals in one box", 8),
    ]


def test_rows_are_called_by_their_row_in_the_file() -> None:
    found = table(("a.jpg", "Ada", None), ("a.jpg", "Ada", None), table_row=[7, 9])
    assert [one.row for one in found.failures] == [9]


@pytest.mark.parametrize("noted", [True, False])
def test_days_without_a_time_make_no_burst(noted: bool) -> None:
    taken = pd.to_datetime(["2023-05-01"] * 3 + ["2023-05-02"])
    found = table(
        *[(f"{name}.jpg", "Ada", None) for name in "abcd"],
        camera=["S1"] * 4,
        timestamp=list(taken),
        **({"day_only": [True] * 4} if noted else {}),
    )
    rows = annotate(found, Encounters()).rows
    assert rows["sequence"].nunique() == 4
    assert rows["encounter"].nunique() == 2  # a day is still an encounter


def test_a_time_beside_a_day_is_in_a_burst_of_its_own() -> None:
    taken = pd.to_datetime(["2023-05-01 00:00:00", "2023-05-01 00:00:05", "2023-05-01 00:00:07"])
    found = table(
        *[(f"{name}.jpg", "Ada", None) for name in "abc"],
        camera=["S1"] * 3,
        timestamp=list(taken),
        day_only=[True, False, False],
    )
    names = annotate(found, Encounters())["sequence"].tolist()
    assert names[1] == names[2] != names[0]
