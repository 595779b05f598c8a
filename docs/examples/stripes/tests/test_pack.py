"""The pack keeps its contracts, splits animals whole, and tells flanks apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import wildreid
from wildreid.registry import Registry
from wildreid.testing import check_plugin, check_recipe

PACK = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photos are drawn where the test may write."""
    monkeypatch.setenv("WILDREID_CACHE", os.environ.get("WILDREID_CACHE", str(tmp_path)))


def test_contracts() -> None:
    names = {option.name for option in check_plugin(PACK)}
    assert names == {"drawn-stripes", "whole-animals", "sides"}


def test_no_animal_is_in_two_parts() -> None:
    rows = check_recipe(PACK / "recipe.yaml").rows
    animals = rows["identity"].str.removesuffix("-left").str.removesuffix("-right")
    assert rows.groupby(animals)["part"].nunique().eq(1).all()
    assert set(rows["part"]) == {"train", "val", "test"}


def test_the_metric_against_a_plain_loop() -> None:
    registry = Registry(packs=[PACK], installed=False)
    from wildreid.testing import evidence_of, tiny_table
    from wildreid.testing.material import with_parts

    table = with_parts(tiny_table())
    sides = ["left" if number % 3 else "right" for number in range(len(table))]
    rows = table.rows.assign(identity=table["identity"] + "-left", viewpoint=sides)
    evidence = evidence_of(table.with_rows(rows))
    found = registry.choose("metric", "sides")().measure(evidence=evidence)  # type: ignore[attr-defined]
    ranking = evidence.ranking
    for query in range(len(ranking.queries)):
        here = sides[ranking.queries[query]]
        there = sides[ranking.top_rows[query, 0]]
        assert found["side-confusion"][query] == (here != there)
        if ranking.mated[query]:
            assert found["animal-accuracy@1"][query] == (ranking.own_rank[query] == 1)


def test_a_short_run(tmp_path: Path) -> None:
    results = wildreid.run(PACK / "recipe.yaml", profiles=["smoke"], out=tmp_path)
    assert "side-confusion" in results.scores["protocols"]["cross-encounter"]["scores"]
