from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.matching import BEARS, lines, official, places, plan
from benchmarks.trials import SEEDS


@pytest.fixture
def cows(tmp_path: Path) -> Path:
    """Twelve cows of five photos each, two of a burst; the last two photos of each are of the test part."""
    rows = [
        {
            "path": f"{who}/{n}.jpg",
            "identity": f"cow{who}",
            "split": "test" if n > 2 else "train",
            "burst": f"{who}-{n // 2}",
        }
        for who in range(12)
        for n in range(5)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "bursts.csv", index=False)
    return tmp_path


def test_the_official_split_asks_its_test_part_and_validates_within_its_training_part(cows: Path) -> None:
    given = pd.read_csv(cows / "bursts.csv").set_index("path")
    for bursts in (False, True):
        table = official(cows, 10, bursts=bursts)
        assert table["part"].value_counts().to_dict() == {"train": 26, "test": 10, "val": 10}
        split = given["split"].loc[table["path"]].to_numpy()
        assert (split[table["part"] == "test"] == "test").all()
        assert (split[table["part"] != "test"] == "train").all()
        assert ("encounter" in table) == bursts
    assert table["encounter"].tolist() == given["burst"].loc[table["path"]].tolist()
    assert official(cows, 10, bursts=True).equals(table)
    assert official(cows, 10**6, bursts=False)["part"].value_counts().to_dict() == {"val": 36, "test": 24}


def test_places_are_four_herds_a_seed_that_differ_in_homes_and_masks_alone() -> None:
    found = [trial.loaded(1).recipe for trial in places(1).values()]
    assert [one.dataset.homes for one in found] == [False, False, True, True]
    assert [one.foreground is not None for one in found] == [False, True, False, True]
    assert {one.dataset.seed for one in found} == {1}
    for one in found[1:]:
        fields = type(one).model_fields
        differing = {name for name in fields if getattr(one, name) != getattr(found[0], name)}
        assert differing <= {"dataset", "foreground", "images"}


def test_bears_are_trained_as_the_sample_is_and_matched() -> None:
    recipe = BEARS.loaded(0).recipe
    assert recipe.images.background == "keep"
    assert [one.name for one in recipe.matchers] == ["mutual"]


def test_each_run_is_planned_for_each_seed(cows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(animals: str) -> list[tuple[str, int]]:
        asked = Namespace(animals=animals, seeds=3, queries=5)
        return [(words, seed) for words, _, seed in plan(asked)]

    assert [seed for _, seed in planned("bears")] == list(SEEDS)
    assert len(set(planned("places"))) == 12
    monkeypatch.setenv("WILDREID_COWS", str(cows))
    monkeypatch.setattr("benchmarks.matching.ROOT", cows)
    assert [words for words, _ in planned("cows")] == ["cows, official split", "cows, look-alikes removed"]


def test_a_table_has_every_ranking_and_what_is_said() -> None:
    plain = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8, "note": None}
    better = {**plain, "difference": 0.125, "difference_low": -0.01, "difference_high": 0.2}
    said = {
        "stands": "fused", "protocol": "cross-encounter", "says": ["Matching counts."],
        "figures": {
            "embedding": {"accuracy@1": plain, "accuracy@5": plain},
            "fused": {"accuracy@1": better, "accuracy@5": {**better, "difference_low": None}},
        },
    }  # fmt: skip

    class Run:
        scores = {"headline": "a", "protocols": {"a": {}, "b": {"matching": said}}}  # noqa: RUF012

    found = [*lines(Run())]  # type: ignore[arg-type]
    assert "| fused (stands) | 50.0 [25.0, 75.0] | +12.5 [-1.0, +20.0] | 50.0 [25.0, 75.0] | +12.5 |" in found
    assert found[-1] == "Matching counts."
