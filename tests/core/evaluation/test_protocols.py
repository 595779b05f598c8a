from __future__ import annotations

import pandas as pd
import pytest
from made.tables import make_table

from wildreid.evaluation.protocols import label, matching, optimistic, standing_in, usable

ROWS = [
    ("a.jpg", "A", "e1", "both"),
    ("b.jpg", "A", "e2", "query"),
    ("c.jpg", None, "g3", "both"),
    ("d.jpg", "B", "e4", "gallery"),
]


def test_roles_and_known_identities_make_the_sides():
    sides = matching(make_table(ROWS), "cross-encounter")
    assert sides.queries.tolist() == [0, 1, 2]
    assert sides.gallery.tolist() == [0, 3]
    assert sides.across
    assert not matching(make_table(ROWS), "image-loo").across


def test_rows_of_no_part_are_on_no_side():
    table = make_table(ROWS)
    table.rows["part"] = pd.array(["test", None, "train", "val"], dtype="string")
    assert matching(table, "cross-encounter").queries.tolist() == [0]
    assert matching(table, "fixed-gallery").gallery.tolist() == [3]


def test_without_dates_only_cross_encounter_cannot_be_used():
    table = make_table(ROWS, dated=False)
    assert usable(table, "cross-encounter") == "no dates: encounters cannot be told apart"
    for protocol in ("image-loo", "fixed-gallery"):
        assert usable(table, protocol) is None
        assert optimistic(table, protocol) == "no dates"
        assert not matching(table, protocol).across
    assert standing_in(table, "cross-encounter", part="test") == "image-loo"


def test_with_dates_only_image_loo_flatters():
    table = make_table(ROWS)
    assert optimistic(table, "cross-encounter") is None
    assert "own encounter" in optimistic(table, "image-loo")
    assert label(table, "cross-encounter") == "test against test, across encounters"


@pytest.mark.parametrize(
    ("roles", "can"),
    [(["gallery", "gallery", "query", "query"], True), (["both"] * 4, False), (["query"] * 4, True)],
)
def test_a_time_cutoff_needs_roles_that_divide(roles, can):
    table = make_table([(*row[:3], role) for row, role in zip(ROWS, roles, strict=True)])
    assert (usable(table, "time-cutoff") is None) == can
    assert standing_in(table, "time-cutoff", part="test") == ("time-cutoff" if can else "cross-encounter")


def test_a_test_part_of_queries_alone_is_cut_off_from_the_parts_before():
    table = make_table([(*row[:3], role) for row, role in zip(ROWS, ["gallery", "query"] * 2, strict=True)])
    table.rows["part"] = ["train", "test", "val", "test"]
    sides = matching(table, "time-cutoff")
    assert sides.queries.tolist() == [1, 3]
    assert sides.gallery.tolist() == [0]


def test_after_a_cut_off_val_is_matched_to_the_training_part():
    table = make_table(
        [(*row[:3], role) for row, role in zip(ROWS, ["gallery", "both", "query", "query"], strict=True)]
    )
    table.rows["part"] = ["train", "val", "test", "test"]
    assert usable(table, "time-cutoff", part="val") is None
    sides = matching(table, "time-cutoff", part="val")
    assert sides.queries.tolist() == [1]
    assert sides.gallery.tolist() == [0]
    assert matching(table, "time-cutoff").gallery.tolist() == [0, 1]


def test_a_part_of_queries_alone_cannot_be_matched_to_itself():
    table = make_table([(*row[:3], "query") for row in ROWS])
    for protocol in ("cross-encounter", "image-loo"):
        assert "holds queries alone" in usable(table, protocol)
    assert usable(table, "fixed-gallery") is None
