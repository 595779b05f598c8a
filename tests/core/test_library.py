"""The library from a notebook: names for options, and what is said where a step was left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import wildreid
from wildreid.artefacts import Evidence
from wildreid.errors import UserError


def photos() -> wildreid.Table:
    days = pd.date_range("2024-05-01", periods=40, freq="2D")
    rows = [
        {"image": f"{(7 * n) % 41:02d}-{who}.jpg", "identity": f"who{who}", "camera": "gate",
         "timestamp": days[n] + pd.Timedelta(hours=who)}
        for who in range(4)
        for n in range(40)
    ]  # fmt: skip
    return wildreid.Table.of(pd.DataFrame(rows), Path("/photos"))


def test_the_stages_take_names_and_embeddings_go_by_id() -> None:
    table = photos()
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(4, 8))[table["identity"].str[3:].astype(int)] + draw.normal(size=(160, 8))
    split = wildreid.split(wildreid.annotate(table, wildreid.Encounters(gap=30)), "closed-set", seed=0)
    assert not table["id"].equals(split["id"])  # sorted: embeddings in the old order would belong to others
    embeddings = wildreid.match_embeddings(vectors, table["id"], split)
    where = pd.Index(table["id"]).get_indexer(split["id"])
    np.testing.assert_allclose(
        embeddings, vectors[where] / np.linalg.norm(vectors[where], axis=1)[:, None], atol=1e-6
    )
    ranking = wildreid.rank(embeddings, split, protocol="cross-encounter")
    block = wildreid.score(
        Evidence(ranking, split, embeddings), ["accuracy-at-k", "mrr"], bootstrap=0, confidence=0.95, seed=0
    )
    assert block["scores"]["accuracy@1"]["value"] > 0.5
    assert "mrr" in block["scores"]


def test_a_step_that_was_left_out_is_named() -> None:
    table, vectors = photos(), np.eye(160, dtype=np.float32)
    with pytest.raises(UserError, match=r"no column 'encounter'[\s\S]*wildreid\.annotate"):
        wildreid.rank(vectors, table, protocol="cross-encounter")
    annotated = wildreid.annotate(table)
    with pytest.raises(UserError, match=r"no column 'part'[\s\S]*wildreid\.split"):
        wildreid.rank(vectors, annotated, protocol="cross-encounter")
    with pytest.raises(UserError, match=r"no splitter is named 'open-sat', did you mean 'open-set'\?"):
        wildreid.split(annotated, "open-sat", seed=0)
    split = wildreid.split(annotated, "closed-set", seed=0)
    with pytest.raises(
        UserError, match=r"no protocol 'cross-encounters', did you mean 'cross-encounter'.*there are"
    ):
        wildreid.rank(vectors, split, protocol="cross-encounters")
    for wrong in (2 * vectors, vectors[:159]):
        with pytest.raises(UserError):
            wildreid.fit_decision(wrong, split, protocol="cross-encounter", false_accepts=0.05)
    with pytest.raises(UserError, match="there is no trained model"):
        wildreid.load_embedder("/nowhere")
