"""Pairs of encounters near the cut are matched, and clustering goes by what that says; the others stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.core.matching.made import Colour, Pictures

from wildreid.data.table import Table
from wildreid.identification.discover import discover, encounter_similarity
from wildreid.identification.hinges import Hinges, hinges_of, why_unhinged
from wildreid.identification.local import Matchers
from wildreid.matching.candidates import ORDER
from wildreid.matching.curve import PairCurve
from wildreid.matching.local import open_local
from wildreid_plugins.clusterers.average_linkage import AverageLinkage
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.fusions.most import Maximum
from wildreid_plugins.fusions.reciprocal import ReciprocalRank
from wildreid_plugins.rerankers.k_reciprocal import KReciprocal

CURVES = (PairCurve(6.0, -3.0), PairCurve(6.0, -24.0))
BURSTS = np.repeat(np.arange(6), 2)
WHO = np.array(["a", "b"] * 3)


def matchers(**changes: Any) -> Matchers:
    option = Colour()
    fields: dict[str, Any] = {"fusion": CalibratedMean(), "reranker": None, "curves": CURVES, "pairs": 100}
    return Matchers((option,), (option.build(device="cpu"),), device="cpu", **{**fields, **changes})


def herd() -> tuple[pd.DataFrame, np.ndarray]:
    """Six bursts of two photos, of two animals in turn, whose embeddings say nothing."""
    rows = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(12)],
            "identity": WHO[BURSTS],
            "key": [f"{n:02d}" for n in range(12)],
        }
    )
    rows = rows.assign(burst=BURSTS, timestamp=pd.Timestamp("2024-05-01"))
    draw = np.random.default_rng(1)
    vectors = 3 + draw.normal(size=(12, 8)).astype(np.float32)
    return rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def looked(rows: pd.DataFrame, tmp_path: Path) -> Any:
    table = Table.of(rows[["image", "identity"]], tmp_path)
    return open_local(Colour(), Pictures(table, noise=4), np.arange(12), device="cpu", cache=tmp_path)


def hinges(tmp_path: Path, *, pairs: int = 100, sides: list[str] | None = None) -> Hinges:
    rows, _ = herd()
    tags = [np.array(sides or [""] * 12)]
    found = hinges_of(matchers(), [looked(rows, tmp_path)], np.arange(12), tags, pairs=pairs)
    assert found is not None
    return found


@pytest.mark.parametrize("pairs", [1, 100])
def test_pairs_near_the_cut_are_settled_and_others_stay(pairs: int, tmp_path: Path) -> None:
    rows, vectors = herd()
    local, cut = looked(rows, tmp_path), 0.9
    similarity = encounter_similarity(vectors, BURSTS)
    similarity[0, 1] = similarity[1, 0] = -np.inf
    found = hinges(tmp_path, pairs=pairs).settled(similarity, vectors, BURSTS, np.arange(12), cut=cut)
    grid = np.linspace(-1, 1, 4001)

    def sure(own: int, others: np.ndarray) -> float:
        best = others[np.argmax(vectors[others] @ vectors[own])]
        first = CURVES[0](np.array([float(vectors[own] @ vectors[best])]))[0]
        count = local.matcher.score(local.take([own]), local.take([best]))
        second = CURVES[1](np.log1p(count))[0]
        return float(np.interp(((first + second) / 2 + ORDER * first) / (1 + ORDER), CURVES[0](grid), grid))

    expected = similarity.copy()
    near = sorted(
        ((abs(float(similarity[a, b]) - cut), a, b) for a in range(6) for b in range(a + 1, 6)),
        key=lambda one: one[0],
    )
    budget = pairs * 12
    for distance, a, b in near:
        budget -= 4
        if not np.isfinite(distance) or budget < 0:
            break
        one, two = np.flatnonzero(a == BURSTS), np.flatnonzero(b == BURSTS)
        means = [np.mean([sure(n, two) for n in one]), np.mean([sure(n, one) for n in two])]
        expected[a, b] = expected[b, a] = np.mean(means)
    assert found == pytest.approx(expected, abs=2e-3)
    assert (found != similarity).sum() == (2 * 3 if pairs == 1 else 2 * 14)


def test_photos_of_other_sides_are_not_matched(tmp_path: Path) -> None:
    _, vectors = herd()
    similarity = encounter_similarity(vectors, BURSTS)
    sides = [*["left"] * 6, *["right"] * 6]
    found = hinges(tmp_path, sides=sides).settled(similarity, vectors, BURSTS, np.arange(12), cut=0.9)
    assert (found[:3, 3:] == similarity[:3, 3:]).all()
    assert (found[np.triu_indices(3, 1)] != similarity[np.triu_indices(3, 1)]).all()


def test_proposals_are_right_where_the_pattern_tells_and_the_embedding_does_not(tmp_path: Path) -> None:
    rows, vectors = herd()
    cluster = AverageLinkage().cluster
    alone = discover(rows, vectors, cluster, cut=0.9)
    matched = discover(rows, vectors, cluster, cut=0.9, hinges=hinges(tmp_path))
    assert pd.crosstab(matched, rows["identity"]).to_numpy().tolist() in ([[6, 0], [0, 6]], [[0, 6], [6, 0]])
    assert pd.crosstab(alone, rows["identity"]).shape != (2, 2)


def test_the_seconds_end_it(tmp_path: Path) -> None:
    _, vectors = herd()
    similarity = encounter_similarity(vectors, BURSTS)
    one = hinges(tmp_path)
    quick = Hinges(one.matchers, one.local, one.at, one.tags, one.pairs, seconds=-1.0)
    assert (quick.settled(similarity, vectors, BURSTS, np.arange(12), cut=0.9) == similarity).all()


def test_what_says_nothing_of_one_pair_is_not_used() -> None:
    assert why_unhinged(matchers()) == why_unhinged(matchers(fusion=Maximum())) == ""
    assert "fuses ranks" in why_unhinged(matchers(fusion=ReciprocalRank()))
    assert "k-reciprocal orders" in why_unhinged(matchers(reranker=KReciprocal()))
    assert "says nothing of a pair" in why_unhinged(matchers(curves=(PairCurve(0.0, 0.1), CURVES[1])))
