from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wildreid.data.groups import annotate
from wildreid.data.splits import SplitError, split
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters
from wildreid_plugins.splitters import Given

WORDS = ["training", "training", "valid", "test", "test"]


def table(**columns: object) -> Table:
    rows = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(5)],
            "identity": ["a", "a", "b", "b", "c"],
            "camera": "cam",
            "timestamp": pd.to_datetime([f"2021-05-0{day} 10:00" for day in (1, 1, 2, 3, 4)]),
        }
    ).assign(**columns)
    return annotate(Table.of(rows, Path("/photos")), Encounters())


def test_the_parts_are_taken_from_a_column() -> None:
    expected = ["train", "train", "val", "test", "test"]
    assert split(table(part=WORDS), Given(), seed=0)["part"].tolist() == expected
    assert split(table(iid=WORDS), Given(column="iid"), seed=0)["part"].tolist() == expected
    other = ["seen", "seen", "tune", "unseen", "unseen"]
    words = {"seen": "train", "tune": "val", "unseen": "test"}
    assert split(table(iid=other), Given(column="iid", words=words), seed=0)["part"].tolist() == expected


def test_the_parts_are_taken_from_lists(tmp_path: Path) -> None:
    for part, names in (("train", "0.jpg\n1.jpg\n"), ("val", "2.jpg\n"), ("test", "3.jpg\n\n")):
        (tmp_path / f"{part}.txt").write_text(names)
    lists = {part: tmp_path / f"{part}.txt" for part in ("train", "val", "test")}
    answer = split(table(), Given(**lists), seed=0)
    assert answer["part"].isna().tolist() == [False, False, False, False, True]
    (tmp_path / "val.txt").write_text("elsewhere/2.jpg\n")
    with pytest.raises(UserError, match="none of the 1 images listed is in the table"):
        split(table(), Given(**lists), seed=0)
    with pytest.raises(UserError, match="cannot be read"):
        split(table(), Given(train=tmp_path / "gone.txt"), seed=0)


def test_an_image_in_two_lists_is_refused(tmp_path: Path) -> None:
    for part, names in (("train", "0.jpg\n1.jpg\n"), ("test", "1.jpg\n3.jpg\n")):
        (tmp_path / f"{part}.txt").write_text(names)
    with pytest.raises(UserError, match=r"1 images are listed for two parts, such as 1\.jpg"):
        split(table(), Given(train=tmp_path / "train.txt", test=tmp_path / "test.txt"), seed=0)


def test_a_word_that_is_no_part_is_refused_until_it_is_explained() -> None:
    typed = ["training", "training", "valid", "tets", "test"]
    with pytest.raises(UserError, match=r"says 'tets' \(1\), which is no part"):
        split(table(part=typed), Given(), seed=0)
    answer = split(table(part=typed), Given(words={"tets": None}), seed=0)
    assert answer["part"].isna().tolist() == [False, False, False, True, False]


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="no column 'fold' to take the split from"):
        split(table(), Given(column="fold"), seed=0)


def test_a_given_split_that_leaks_stops_unless_that_is_accepted() -> None:
    leaking = table(part=["train", "test", "val", "test", "test"])
    with pytest.raises(SplitError, match="the split leaks"):
        split(leaking, Given(), seed=0)
    accepted = Given(accept_leaks=True)
    assert accepted.leaky
    assert not Given().leaky
    assert split(leaking, accepted, seed=0)["part"][1] == "test"


def test_roles_that_came_with_the_data_are_kept() -> None:
    roles = ["gallery", "gallery", "both", "query", None]
    assert split(table(part=WORDS, role=roles), Given(), seed=0)["role"].tolist() == [*roles[:4], "both"]


def test_val_can_be_taken_from_train_by_group() -> None:
    rows = pd.DataFrame(
        {
            "image": [f"{n:02d}.jpg" for n in range(40)],
            "identity": [f"w{n % 4}" for n in range(40)],
            "camera": "cam",
            "timestamp": [pd.Timestamp("2021-05-01") + pd.Timedelta(days=n // 2) for n in range(40)],
            "part": ["train"] * 30 + ["test"] * 10,
        }
    )
    made = annotate(Table.of(rows, Path("/photos")), Encounters())
    answer = split(made, Given(val_share=0.2), seed=0)
    assert (answer["part"][30:] == "test").all()
    assert set(answer["part"][:30]) == {"train", "val"}
    assert 4 <= (answer["part"] == "val").sum() <= 8
    with pytest.raises(SplitError, match="the part val of the split is empty"):
        split(made, Given(), seed=0)
