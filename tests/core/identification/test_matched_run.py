"""A run whose ranking is fused decides on fused scores; a gallery of its model decides on cosine similarities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wildreid.evaluation.decision import fit_decision, save_decision
from wildreid.files import write_json
from wildreid.gallery.rule import Rule
from wildreid.identification import calibration
from wildreid.pipeline import RunFolder
from wildreid.testing.material import embeddings_of, tiny_table


@pytest.mark.parametrize("stands", ["fused", "embedding"])
def test_the_rule_of_a_gallery_is_for_cosine_similarities(
    stands: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tiny_table(individuals=20)
    table = table.with_rows(table.rows.assign(part="val", role="both"))
    embeddings = embeddings_of(table)
    cosine: Any = fit_decision(embeddings, table, protocol="cross-encounter", false_accepts=0.05)
    folder = RunFolder(tmp_path)
    other = type(cosine)(**{**vars(cosine), "threshold": 0.123})  # as fitted on other scores
    save_decision(other, folder.decision)
    write_json(folder.provenance, {"name": "run"})
    block = {"matching": {"stands": stands}} if stands != "embedding" else {}
    folder.scores.write_text(json.dumps({"headline": "a", "protocols": {"a": block}}))
    monkeypatch.setattr(RunFolder, "load_split", lambda self: table)
    monkeypatch.setattr(RunFolder, "load_embeddings", lambda self, table: embeddings)
    rule = calibration.rule_of_run(tmp_path)
    assert isinstance(rule, Rule)
    expected = cosine.threshold if stands == "fused" else 0.123
    assert rule.decision.threshold == pytest.approx(expected)
    assert calibration.stands_by(folder) == stands
