"""What a notebook shows of an artefact: what it is about, every figure, and untrusted text as text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from wildreid.artefacts import Scores
from wildreid.evaluation.score import score
from wildreid.kinds import Metric
from wildreid.registry import Registry
from wildreid.testing import evidence_of, results_of, tiny_table

ODD = "<b>Anna & Bert</b>"


def metric(name: str) -> Metric:
    return Registry().choose("metric", name)()  # type: ignore[return-value]


def test_a_table() -> None:
    table = tiny_table()
    table = table.with_rows(table.rows.replace({"identity": {"who00": ODD}}))
    assert f"{len(table)}" in repr(table)
    shown = table._repr_html_()
    assert "&lt;b&gt;Anna &amp; Bert" in shown
    assert ODD not in shown


def test_a_ranking() -> None:
    ranking = evidence_of().ranking
    odd = replace(ranking, individuals=[ODD for _ in ranking.individuals])
    assert repr(ranking).startswith(f"Ranking(cross-encounter: {len(ranking.queries)} queries")
    assert ODD not in odd._repr_html_()
    assert "&lt;b&gt;Anna" in odd._repr_html_()
    assert ranking._repr_html_().count("<tr>") == 1 + min(10, len(ranking.queries))


def test_scores() -> None:
    block = score(evidence_of(), [metric("accuracy-at-k"), metric("calibration")], bootstrap=20,
                  confidence=0.95, seed=0)  # fmt: skip
    assert isinstance(block, Scores)
    first = block["scores"]["accuracy@1"]
    assert repr(block) == f"Scores(accuracy@1 {first['value']:.3f}, {block['label']})"
    shown = block._repr_html_()
    for name, one in block["scores"].items():
        assert (
            f"<td>{name}</td><td>{'null' if one['value'] is None else format(one['value'], '.3f')}" in shown
        )
    assert any(one["value"] is None for one in block["scores"].values()), "a reason is shown"
    assert json.loads(json.dumps(block)) == block
    optimistic = Scores(block, optimistic="a query may be matched to its own burst")
    assert "optimistic: a query" in optimistic._repr_html_()


def test_results(tmp_path: Path) -> None:
    results = results_of(tmp_path, (metric("accuracy-at-k"),))
    assert repr(results).startswith("Results(tiny [sample]: accuracy@1 ")
    assert "<b>tiny [sample]</b>" in results._repr_html_()
    assert results.scores["protocols"]["cross-encounter"]._repr_html_() in results._repr_html_()
