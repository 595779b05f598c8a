from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from rich.console import Console
from tests.core.data.generated_tables import annotated

from wildreid.data.audit import audit
from wildreid.data.groups import places
from wildreid.data.splits import assign, split
from wildreid.data.table import Table
from wildreid_plugins.splitters import DisjointSet, OpenSet, Random


def naive_counts(table: Table, here: str, there: str) -> dict[str, int]:
    """Image by image, over plain rows."""
    rows = table.rows
    looks = [int(text, 16) for text in rows["phash"]]
    who = [name if isinstance(name, str) else None for name in rows["identity"]]
    day = [None if pd.isna(time) else time.date() for time in rows["timestamp"]]
    found = dict.fromkeys(("encounter", "identity_and_day", "sequence", "near_duplicate", "group"), 0)
    others = rows.index[rows["part"] == there].tolist()
    mine = rows.index[rows["part"] == here].tolist()
    for key in ("encounter", "sequence", "group"):
        values = rows[key].tolist()
        found[key] = sum(any(values[m] == values[n] for m in others) for n in mine)
    for n in mine:
        own = [m for m in others if who[m] == who[n]]
        found["identity_and_day"] += any(day[m] == day[n] is not None for m in own)
        found["near_duplicate"] += any((looks[m] ^ looks[n]).bit_count() <= 4 for m in own)
    return found


@pytest.mark.parametrize("splitter", [Random(), DisjointSet(), OpenSet()], ids=lambda one: one.name)
def test_the_counts_are_those_of_a_naive_recount(splitter: object) -> None:
    table = assign(annotated(2), splitter, seed=1)  # type: ignore[arg-type]
    found = audit(table)
    for crossing in found.crossings:
        assert crossing.counts == naive_counts(table, crossing.part, crossing.other)
        assert crossing.images == (table["part"] == crossing.part).sum()


def test_a_time_blind_split_like_the_published_ones_is_found_out() -> None:
    # every fifth image of an individual tests, as if there were no bursts
    table = annotated(5)
    rows = table.rows[table["identity"].notna()].reset_index(drop=True)
    turn = rows.groupby("identity").cumcount() % 5
    blind = table.with_rows(rows.assign(part=turn.map({0: "test", 1: "val"}).fillna("train"), role="both"))
    found = audit(blind)
    test_in_train = found.crossings[0]
    expected = naive_counts(blind, "test", "train")
    assert found.leaks
    assert test_in_train.counts == expected
    assert expected["identity_and_day"] > test_in_train.images / 2
    sentence = f"{expected['identity_and_day']:,} of {test_in_train.images:,} test images"
    assert any(said.startswith(sentence) and "same individual and day" in said for said in found.says())


def test_queries_beside_their_own_encounter_are_counted() -> None:
    table = assign(annotated(2), OpenSet(), seed=0)
    rows = table.rows[table["part"] == "test"]
    naive = sum((rows["encounter"] == encounter).sum() > 1 for encounter in rows["encounter"])
    found = audit(table)
    assert (found.queries, found.beside) == (len(rows), naive)
    apart = table.with_rows(
        table.rows.assign(role=(table["part"] == "test").map({True: "query", False: "gallery"}))
    )
    assert audit(apart).beside == 0


def test_disjoint_parts_may_share_a_night_at_a_camera() -> None:
    found = audit(split(annotated(3), DisjointSet(), seed=0))
    assert not found.leaks
    assert any(crossing.counts["group"] for crossing in found.crossings)


def test_without_hashes_near_duplicates_are_not_counted_as_none() -> None:
    table = assign(annotated(2), OpenSet(), seed=0)
    bare = table.with_rows(table.rows.drop(columns=["phash", "content"]))
    assert audit(bare).crossings[0].counts["near_duplicate"] is None


def test_the_warnings_say_what_is_missing() -> None:
    table = assign(annotated(2), OpenSet(), seed=0)
    rows = table.rows
    single = (rows.dropna(subset=["identity"]).groupby("identity")["encounter"].nunique() == 1).sum()
    said = " ".join(audit(table).warnings)
    assert f"{rows['timestamp'].isna().sum()} of {len(rows)} images have no date" in said
    if single:
        assert f"{single} of {table.individuals} individuals have a single encounter" in said
    undated = table.with_rows(rows.assign(timestamp=pd.NaT, part=rows["part"].replace("val", "train")))
    said = " ".join(audit(undated).warnings)
    assert "No image has a date" in said
    assert "nothing in val" in said


def test_one_file_for_two_individuals_is_asked_about() -> None:
    table = assign(annotated(2), OpenSet(), seed=0)
    rows = table.rows.copy()
    a, b = rows.drop_duplicates("identity").dropna(subset=["identity"]).index[:2]
    rows.loc[b, "content"] = rows["content"][a]
    assert any("two individuals" in said for said in audit(table.with_rows(rows)).warnings)


def test_it_can_be_printed_and_written_as_json() -> None:
    found = audit(assign(annotated(2), Random(), seed=0))
    out = io.StringIO()
    Console(file=out, width=120).print(found)
    assert "The split leaks." in out.getvalue()
    assert f"{found.crossings[0].counts['encounter']:,}" in out.getvalue()
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["leaks"] is True
    assert plain["crossings"][0]["part"] == "test"
    assert set(plain["parts"]) == {"train", "val", "test"}


def test_cameras_stand_in_for_folders_where_they_are_known() -> None:
    rows = annotated(2).rows
    assert (places(rows)[rows["camera"].notna()] == rows["camera"].dropna()).all()
