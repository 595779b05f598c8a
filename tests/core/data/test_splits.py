from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.data.generated_tables import annotated, generated, same_group

from wildreid.data.audit import audit
from wildreid.data.groups import annotate
from wildreid.data.splits import SplitError, assign, divisions, split, unused
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Splitter
from wildreid.recipe.settings import Encounters
from wildreid_plugins.splitters import ClosedSet, DisjointSet, OpenSet, Random, TimeCutoff

WHOLE = [OpenSet(), ClosedSet(), TimeCutoff(), OpenSet(group="sequence"), OpenSet(group="day", test=0.3)]


class Fixed(Splitter):
    """Parts by image, for one test."""

    name = "fixed"
    parts: dict[str, str | None]
    role: str = "both"

    def split(self, *, table: Table, seed: int) -> Table:
        return table.with_rows(table.rows.assign(part=table["image"].map(self.parts), role=self.role))


class Leaky(Fixed):
    """The same, declared."""

    name = "leaky"
    leaky: ClassVar[bool] = True


def parts_of(table: Table) -> np.ndarray:
    return table["part"].to_numpy(object, na_value=None)


def assert_nothing_divided(table: Table, group: str) -> None:
    """By the rules applied pair by pair, not by the code under test."""
    part = parts_of(table)
    used = np.array([name is not None for name in part])
    together = same_group(table.rows, by_camera=group == "camera-date")
    differs = part[:, None] != part[None, :]
    assert not (together & differs & used[:, None] & used[None, :]).any()


def check_invariants(splitter: Splitter, seed: int) -> None:
    table = annotated(seed)
    answer = split(table, splitter, seed=seed)
    assert_nothing_divided(answer, splitter.group)  # type: ignore[attr-defined]
    assert {"train", "val", "test"} == set(answer["part"].dropna())
    assert answer["part"][answer["identity"].isna()].isna().all()
    assert not audit(answer).leaks
    mixed = table.with_rows(table.rows.sample(frac=1, random_state=seed))
    assert split(mixed, splitter, seed=seed).rows.equals(answer.rows)


@pytest.mark.parametrize("splitter", WHOLE, ids=lambda splitter: f"{splitter.name} {splitter.group}")
@pytest.mark.parametrize("seed", [0, 1])
def test_no_group_is_divided_whatever_the_table(splitter: Splitter, seed: int) -> None:
    check_invariants(splitter, seed)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(200))
def test_no_group_is_divided_in_200_tables(seed: int) -> None:
    for splitter in WHOLE[:4]:  # in twelve individuals' few days, one chain of days may be nearly all
        check_invariants(splitter, seed)


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_disjoint_set_share_no_individual(seed: int) -> None:
    answer = split(annotated(seed), DisjointSet(), seed=seed)
    parts = answer.rows.dropna(subset=["part"]).groupby("identity")["part"].nunique()
    assert (parts == 1).all()
    assert not divisions(answer)
    assert not audit(answer).leaks


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_one_planted_leak_is_always_found(seed: int, data: st.DataObject) -> None:
    table = annotated(seed % 5)
    answer = split(table, OpenSet(), seed=seed)
    rows = answer.rows
    sizes = rows.groupby("group")["part"].transform("count")
    moved = data.draw(st.sampled_from(np.flatnonzero((sizes > 1) & rows["part"].notna()).tolist()))
    others = [part for part in ("train", "val", "test") if part != rows["part"][moved]]
    part = rows["part"].copy()
    part[moved] = data.draw(st.sampled_from(others))
    spoiled = answer.with_rows(rows.assign(part=part))
    assert divisions(spoiled)
    assert audit(spoiled).leaks


@pytest.mark.parametrize("splitter", [*WHOLE, DisjointSet(), Random()], ids=lambda splitter: splitter.name)
def test_the_file_is_the_same_byte_for_byte_after_shuffling(splitter: Splitter, tmp_path: Path) -> None:
    made = generated(4)
    for name, state in (("plain", None), ("mixed", 1)):
        rows = made.rows if state is None else made.rows.sample(frac=1, random_state=state)
        split(annotate(made.with_rows(rows), Encounters()), splitter, seed=3).save(tmp_path / name)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "mixed").read_bytes()


@pytest.mark.parametrize(
    "splitter", [OpenSet(), ClosedSet(), DisjointSet(), Random()], ids=lambda one: one.name
)
def test_another_seed_gives_another_split(splitter: Splitter) -> None:
    table = annotated(0)
    first, second = (split(table, splitter, seed=seed)["part"] for seed in (0, 1))
    assert not first.equals(second)


def four() -> Table:
    rows = pd.DataFrame(
        {
            "image": ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"],
            "identity": ["a", "a", "b", "b", "c"],
            "camera": "cam",
            "timestamp": pd.to_datetime(
                [
                    "2021-05-01 10:00",
                    "2021-05-01 10:09",
                    "2021-05-02 10:00",
                    "2021-05-03 10:00",
                    "2021-05-04 10:00",
                ]
            ),
        }
    )
    return annotate(Table.of(rows, Path("/photos")), Encounters())


GOOD = {"1.jpg": "train", "2.jpg": "train", "3.jpg": "val", "4.jpg": "test", "5.jpg": "test"}


def test_a_split_that_divides_a_group_stops_and_names_rows() -> None:
    with pytest.raises(SplitError, match=r"the split leaks") as caught:
        split(four(), Fixed(parts={**GOOD, "2.jpg": "test"}), seed=0)
    assert "train (1.jpg) and test (2.jpg)" in str(caught.value)
    assert "encounter" in str(caught.value)


def test_a_splitter_that_declares_itself_leaky_goes_on() -> None:
    answer = split(four(), Leaky(parts={**GOOD, "2.jpg": "test"}), seed=0)
    assert divisions(answer)


def test_rows_in_no_part_divide_nothing_and_are_reported() -> None:
    answer = split(four(), Fixed(parts={**GOOD, "2.jpg": None}), seed=0)
    assert not divisions(answer)
    assert [(one.image, one.reason) for one in unused(answer)] == [("2.jpg", "in no part of the split")]


def test_a_splitter_may_name_coarser_groups_but_not_hide_a_leak_by_finer_ones() -> None:
    class Hiding(Fixed):
        """Says that every row is a group of its own."""

        name = "hiding"

        def split(self, *, table: Table, seed: int) -> Table:
            answer = super().split(table=table, seed=seed)
            return answer.with_rows(answer.rows.assign(group=answer["id"]))

    with pytest.raises(SplitError, match="encounter"):
        split(four(), Hiding(parts={**GOOD, "2.jpg": "test"}), seed=0)


@pytest.mark.parametrize("missing", ["val", "test", "train"])
def test_an_empty_part_is_refused(missing: str) -> None:
    parts = {image: part if part != missing else None for image, part in GOOD.items()}
    with pytest.raises(SplitError, match=f"the part {missing} of the split is empty"):
        split(four(), Fixed(parts=parts), seed=0)


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(SplitError, match=r"the part 'dev' of 2\.jpg"):
        split(four(), Fixed(parts={**GOOD, "2.jpg": "dev"}), seed=0)
    with pytest.raises(SplitError, match="the role 'judge'"):
        split(four(), Fixed(parts=GOOD, role="judge"), seed=0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda rows: rows.iloc[1:], "lost, added or changed"),
        (lambda rows: rows.assign(identity="x"), "'identity' is not what it was"),
        (lambda rows: rows.assign(encounter=rows["id"]), "'encounter' is not what it was"),
        (lambda rows: rows.drop(columns="part"), "did not set the column part"),
    ],
)
def test_a_splitter_that_changes_the_table_is_refused(spoil: object, words: str) -> None:
    class Spoiling(Fixed):
        """Breaks the table."""

        name = "spoiling"

        def split(self, *, table: Table, seed: int) -> Table:
            answer = super().split(table=table, seed=seed)
            return answer.with_rows(spoil(answer.rows))  # type: ignore[operator]

    with pytest.raises(SplitError, match=words):
        assign(four(), Spoiling(parts=GOOD), seed=0)


def test_one_individual_is_not_enough() -> None:
    with pytest.raises(UserError, match="has 1 identities"):
        split(four().with_rows(four().rows.assign(identity="a")), OpenSet(), seed=0)
