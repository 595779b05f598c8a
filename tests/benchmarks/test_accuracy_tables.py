"""The accuracy tables: pooling over seeds, what is published, and rows for what cannot be measured."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks.accuracy import PHOTOS, UNMASKED, Answers, measured, published
from benchmarks.published import BEARID
from benchmarks.record import Record
from benchmarks.trials import Trial
from made.tables import simulated

import wildreid
from benchmarks import trials
from wildreid.evaluation.rank import rank
from wildreid.files import write_json
from wildreid.pipeline.folder import RunFolder, write_recipe
from wildreid.pipeline.provenance import versions

ROOT = Path(__file__).parents[2]


@dataclass
class NoBenchmark:
    """Stands in for pytest-benchmark's fixture."""

    extra_info: dict[str, Any] = field(default_factory=dict)
    has_error: bool = False
    stats: Any = None

    def pedantic(self, work: Any, rounds: int) -> None:
        work()
        self.stats = "measured"


def answers(names: str, hits: list[float], runs: list[int] | None = None) -> Answers:
    every = np.array(hits, float)
    numbers = np.zeros(len(hits), int) if runs is None else np.array(runs)
    return Answers(np.array(list(names), dtype=object), {1: every, 3: every}, numbers)


def test_queries_of_all_seeds_are_pooled_and_unmated_ones_do_not_count():
    found = answers("aabb", [1, 0, 1, np.nan], [0, 0, 1, 1])
    assert found.figure(1)["value"] == pytest.approx(2 / 3)
    assert (found.n, found.individuals) == (3, 2)
    assert found.each(1) == [0.5, 1.0]


def test_the_interval_resamples_individuals_not_queries():
    one_animal_a_query = answers("abcdefghij", [1, 0] * 5)
    two_animals = answers("aaaaabbbbb", [1] * 5 + [0] * 5)
    assert one_animal_a_query.figure(1)["low"] > 0
    assert (two_animals.figure(1)["low"], two_animals.figure(1)["high"]) == (0, 1)


def test_a_difference_is_paired_by_individual():
    first, second = answers("aabbcc", [1, 1, 0, 0, 1, 0]), answers("aabbcc", [1, 1, 0, 0, 1, 1])
    same = first.less(first, 1)
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)
    assert second.less(first, 1)["value"] == pytest.approx(1 / 6)
    assert second.less(first, 1)["low"] >= 0
    with pytest.raises(ValueError, match="different queries"):
        first.less(answers("aabbcd", [1] * 6), 1)


def test_nothing_masked_lets_the_burst_answer():
    table, embeddings = simulated(
        individuals=12, encounters=3, burst=4, noise=0.5, encounter=4.0, part="test"
    )
    table.rows.loc[table.rows.index % 4 != 0, "part"] = "train"  # a random split: each burst in both parts
    run: Any = SimpleNamespace(
        rankings={"fixed-gallery": rank(embeddings, table, protocol="fixed-gallery")},
        table=table,
        embeddings=embeddings,
    )
    claimed, masked = (Answers.of([run], protocol) for protocol in (UNMASKED, "fixed-gallery"))
    assert claimed.figure(1)["value"] == 1
    assert masked.figure(1)["value"] < 0.6
    assert claimed.less(masked, 1)["low"] > 0


def test_a_trial_is_trained_once_for_each_recipe_and_seed(tmp_path, monkeypatch):
    trained = []

    def train(loaded: Any, *, out: Path, name: str) -> None:
        trained.append(name)
        folder = RunFolder(out / name)
        folder.path.mkdir(parents=True)
        write_recipe(folder.recipe, loaded.recipe.model_copy(update={"name": name}))
        write_json(folder.provenance, {"versions": versions()})

    monkeypatch.setattr(trials, "RUNS", tmp_path)
    monkeypatch.setattr(wildreid, "run", train)
    monkeypatch.setattr(wildreid, "load_results", lambda folder: folder)
    trial = Trial("one", profiles=("smoke",))
    first = trial.run(0)
    assert trial.run(0) == first
    assert trained == [first.name]
    assert trial.run(1) != first
    assert Trial("one", profiles=("smoke",), settings={"loss.margin": 20}).run(0) != first
    (first / "trained.json").unlink()  # a run that was killed
    assert trial.run(0) == first
    assert trained.count(first.name) == 2
    old = {**versions(), "torch": "1.0"}
    write_json(RunFolder(first).provenance, {"versions": old})
    trial.run(0)
    assert trained.count(first.name) == 3


EVERY = [*{trial.name: trial for trial, _ in trials.plan()}.values(), *trials.COWS.values()]


@pytest.mark.parametrize("trial", EVERY, ids=lambda trial: trial.name)
def test_every_trial_is_a_valid_recipe(trial, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(trials, "RUNS", tmp_path)
    monkeypatch.setattr(wildreid, "run", lambda loaded, **_: asked.append(loaded.recipe))
    monkeypatch.setattr(trials, "write_json", lambda *_: None)
    monkeypatch.setattr(wildreid, "load_results", lambda folder: folder)
    trial.run(2)
    (recipe,) = asked
    assert recipe.seed == 2
    assert recipe.split_seed is None
    assert not recipe.reporters


def test_what_is_published_is_what_the_recipe_cites():
    cited = (ROOT / "species" / "bears" / "recipe.yaml").read_text(encoding="utf-8")
    words = " ".join(line.lstrip("# ") for line in cited.splitlines() if line.startswith("#"))
    number = r"\d+\.\d"
    numbers = rf"({number}(?:, {number}){{3}})"
    found = re.search(
        rf"of {numbers} \(open-set\).*test gave {numbers}\..*disjoint split it prints {numbers},", words
    )
    assert found
    for split, numbers in zip(("open-set", "open-set", "disjoint-set"), found.groups(), strict=True):
        printed = dict(zip((1, 3, 5, 10), map(float, numbers.split(", ")), strict=True))
        assert printed in [one.accuracy for one in BEARID if one.split == split]


def test_published_cells_say_so_and_name_protocol_and_source():
    record = Record(NoBenchmark(), "", "cpu")
    published(record)
    rows = record.benchmark.extra_info["rows"]
    assert len(rows) == len(BEARID)
    for row in rows:
        cells = [value for name, value in row["figures"].items() if name.startswith("accuracy@")]
        assert {cell["says"] for cell in cells} == {"published"}
        assert all(0 < cell["value"] < 1 for cell in cells)
        assert row["row"]["protocol"] == "image-loo"
        assert row["figures"]["said by"]


@pytest.mark.parametrize(("given", "says"), [(False, "no photos: give --bearid"), (True, "on a GPU")])
def test_data_that_is_not_there_is_a_row_with_the_reason(given, says, tmp_path):
    record = Record(NoBenchmark(), "", "cpu")
    trial = trials.on_photos("recipe", "open-set")
    measured(record, {"split": "open-set"}, trial, tmp_path if given else None, "--bearid FOLDER", False)
    (row,) = record.benchmark.extra_info["rows"]
    assert says in row["reason"]
    assert (row["table"], row["row"]["split"]) == (PHOTOS, "open-set")
