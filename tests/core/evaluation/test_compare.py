from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from made.tables import simulated
from rich.console import Console

from wildreid.artefacts import Evidence, Results
from wildreid.errors import UserError
from wildreid.evaluation.compare import compare
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK
from wildreid_plugins.metrics.auroc import AUROC
from wildreid_plugins.metrics.clusters import Clusters

METRICS = (AccuracyAtK(k=(1,)), AUROC(), Clusters())


def finished(folder, name, *, noise, protocol="cross-encounter", seed=0, shuffle=False, undated=False):
    table, embeddings = simulated(individuals=60, encounters=3, burst=2, noise=noise)
    if seed:
        table.rows["id"] = [f"{seed}-{i}" for i in range(len(table))]
    if undated:
        table.rows["timestamp"] = np.datetime64("NaT", "us")
    if shuffle:
        order = np.random.default_rng(0).permutation(len(table))
        table, embeddings = table.with_rows(table.rows.iloc[order]), embeddings[order]
    rankings, blocks = {}, {}
    for one in dict.fromkeys((protocol, "image-loo")):
        rankings[one] = rank(embeddings, table, protocol=one)
        blocks[one] = score(
            Evidence(rankings[one], table, embeddings), METRICS, bootstrap=0, confidence=0.95, seed=0
        )
    scores = {"headline": protocol, "seed": 0, "protocols": blocks}
    return Results(folder, name, "", {}, {}, table, embeddings, rankings, scores)


def test_a_difference_has_a_paired_interval(tmp_path):
    good, bad = finished(tmp_path, "good", noise=1.2), finished(tmp_path, "bad", noise=3.0, shuffle=True)
    found = compare([good, bad], METRICS)
    first, second = found.figures["accuracy@1"]
    assert first.difference is None
    assert second.difference == pytest.approx(second.value - first.value)
    assert second.within_noise is False
    assert second.difference_interval[1] < 0
    assert found.figures["auroc"][1].value is None
    assert found.figures["ari"][1].difference is not None
    assert found.figures["ari"][1].difference_interval is None
    # paired by hand: individuals drawn alike, whatever the order of the rows
    a = good.rankings["cross-encounter"].own_rank == 1
    order = np.argsort(bad.table["id"].to_numpy(dtype=str))
    b = (bad.rankings["cross-encounter"].own_rank == 1)[order]
    counts = np.random.default_rng(0).multinomial(60, np.full(60, 1 / 60), size=1000)
    by_animal = (b.astype(float) - a).reshape(60, 6).mean(axis=1)
    expected = np.quantile(counts @ by_animal / 60, (0.025, 0.975))
    assert second.difference_interval == pytest.approx(tuple(expected))


def test_a_run_against_itself_is_within_noise(tmp_path):
    one, same = finished(tmp_path, "one", noise=2.0), finished(tmp_path, "same", noise=2.0, shuffle=True)
    figure = compare([one, same], METRICS).figures["accuracy@1"][1]
    assert figure.difference == 0
    assert figure.difference_interval == (0, 0)
    assert figure.within_noise


def test_other_test_parts_and_protocols_are_refused(tmp_path):
    one, other = finished(tmp_path, "one", noise=2.0), finished(tmp_path, "other", noise=2.0, seed=3)
    with pytest.raises(UserError, match="one and other have different test parts"):
        compare([one, other], METRICS)
    loo = finished(tmp_path, "loo", noise=2.0, protocol="image-loo")
    with pytest.raises(UserError, match="different protocols"):
        compare([one, loo], METRICS)
    with pytest.raises(UserError, match="two runs"):
        compare([one], METRICS)
    found = compare([one, other, loo], METRICS, anyway=True)
    assert not found.paired
    figure = found.figures["accuracy@1"][1]
    assert figure.difference == 0
    assert figure.difference_interval[0] < 0 < figure.difference_interval[1]


def test_other_labels_are_another_test_part(tmp_path):
    one = finished(tmp_path, "one", noise=2.0)
    renamed = replace(
        one,
        name="renamed",
        table=one.table.with_rows(one.table.rows.assign(identity=one.table["identity"] + "x")),
    )
    with pytest.raises(UserError, match="different test parts"):
        compare([one, renamed], METRICS)


def test_without_dates_the_protocol_that_can_be_used_is_compared(tmp_path):
    runs = [finished(tmp_path, name, noise=2.0, undated=True) for name in ("one", "two")]
    found = compare(runs, METRICS)
    assert found.protocol == "test against test, all but the query image itself"
    assert found.figures["accuracy@1"][0].value is not None


def printed(comparison, width=100):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(comparison)
    return " ".join(console.export_text().split())


def test_what_must_be_known_stands_under_the_table(tmp_path):
    runs = [finished(tmp_path, name, noise=2.0, undated=True) for name in ("one", "two")]
    few = [replace(run, stamp="sample") for run in runs]
    text = printed(compare(few, METRICS))
    assert "one is optimistic: no dates" in text
    assert "two is optimistic: no dates" in text
    assert "one [sample]" in text
    assert "individuals, under" not in text
    # a test part of few animals
    table, embeddings = simulated(individuals=8, encounters=3, burst=2, noise=2.0)
    ranking = rank(embeddings, table, protocol="cross-encounter")
    block = score(Evidence(ranking, table, embeddings), METRICS, bootstrap=0, confidence=0.95, seed=0)
    scores = {"headline": "cross-encounter", "seed": 0, "protocols": {"cross-encounter": block}}
    small = Results(tmp_path, "a", "", {}, {}, table, embeddings, {"cross-encounter": ranking}, scores)
    text = printed(compare([small, replace(small, name="b")], METRICS))
    assert "8 individuals, under 30: the interval is wide and rough" in text
    assert "optimistic" not in text
    assert "-0.000" not in text


def test_the_table_says_what_is_noise(tmp_path):
    runs = [finished(tmp_path, "one", noise=2.0), finished(tmp_path, "two", noise=2.0)]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(compare(runs, METRICS))
    text = console.export_text()
    assert "two − one" in text
    assert re.search(r"accuracy@1 .*\[0.000, 0.000\] +noise", text)
    assert "test against test, across encounters · 360 queries" in text
    assert "+0.000 [0.000, 0.000]" in text
