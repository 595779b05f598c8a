from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.core.matching.made import Colour, Pictures

from wildreid.artefacts import TIE
from wildreid.kinds import Fusion, Reranker
from wildreid.matching.candidates import ORDER, Candidates
from wildreid.matching.curve import PairCurve
from wildreid.matching.local import open_local
from wildreid.matching.pairs import PairScores
from wildreid.matching.sides import Sides, ranking_of
from wildreid.testing.material import embeddings_of, tiny_table, with_parts
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.fusions.most import Maximum
from wildreid_plugins.fusions.reciprocal import ReciprocalRank
from wildreid_plugins.rerankers.expansion import QueryExpansion
from wildreid_plugins.rerankers.k_reciprocal import KReciprocal

CURVES = (PairCurve(6.0, -3.0), PairCurve(2.0, -7.0))


@pytest.mark.parametrize("pairs", [5, 1000])
@pytest.mark.parametrize("fusion", [CalibratedMean(), Maximum(), ReciprocalRank()], ids=lambda one: one.name)
def test_a_naive_recount_gives_the_same_ranking(tmp_path: Path, fusion: Fusion, pairs: int) -> None:
    """Two loops over pairs, masks by hand."""
    table = with_parts(tiny_table())
    embeddings, pictures = embeddings_of(table), Pictures(table)
    sides = Sides.of(table, "cross-encounter", part="test")
    candidates = Candidates(sides, embeddings, reranker=None, pairs=pairs)
    local = open_local(Colour(), pictures, np.arange(len(table)), device="cpu", cache=tmp_path)
    with PairScores(local, tmp_path) as scores:
        candidates.match([scores])
    found = ranking_of(sides, lambda query: candidates.fused(query, CURVES, fusion), keep=3)
    rows, matcher = table.rows, local.matcher
    assert candidates.exhaustive == (pairs == 1000)
    for place, query in enumerate(found.queries):
        valid, cosines, counts = [], [], []
        for other in found.gallery:
            if other != query and rows["encounter"][other] != rows["encounter"][query]:
                valid.append(other)
                cosines.append(float(embeddings[query].astype(float) @ embeddings[other].astype(float)))
                counts.append(float(matcher.score(local.take([query]), local.take([other]))[0]))
        listed = np.argsort(np.argsort(-np.array(cosines))) < pairs
        local_scores = np.log1p(np.where(listed, counts, 0))
        by_embedding = 1 / (1 + np.exp(-(6 * np.array(cosines) - 3)))
        by_matcher = 1 / (1 + np.exp(-(2 * local_scores - 7)))
        if fusion.name == "calibrated-mean":
            fused = (by_embedding + by_matcher) / 2
        elif fusion.name == "maximum":
            fused = np.maximum(by_embedding, by_matcher)
        else:
            ranks = [[1 + (one > value + 0).sum() for value in one] for one in (by_embedding, by_matcher)]
            fused = (61 / (60 + np.array(ranks))).mean(axis=0)
        fused = (fused + ORDER * by_embedding) / (1 + ORDER)
        names = rows["identity"].iloc[valid].to_numpy()
        best = {name: fused[names == name].max() for name in set(names)}
        own = rows["identity"][query]
        if own not in best:
            assert found.own_rank[place] == 0
            continue
        others = [score for name, score in best.items() if name != own]
        assert found.own_rank[place] == 1 + sum(score >= best[own] - TIE for score in others)
        assert found.own_score[place] == pytest.approx(best[own], abs=1e-6)
        assert found.valid[place] == len(valid)


def test_beyond_the_shortlist_the_embeddings_order_stands(tmp_path: Path) -> None:
    table = with_parts(tiny_table())
    sides = Sides.of(table, "image-loo", part="test")
    candidates = Candidates(sides, embeddings_of(table), reranker=None, pairs=4)
    local = open_local(Colour(), Pictures(table), np.arange(len(table)), device="cpu", cache=tmp_path)
    with PairScores(local, tmp_path) as scores:
        candidates.match([scores])
    for query in range(len(sides)):
        beyond = np.setdiff1d(np.flatnonzero(sides.valid(query)), candidates.shortlists[query])
        for values in (
            candidates.fused(query, CURVES, CalibratedMean()),
            candidates.fused(query, CURVES, Maximum()),
            candidates.alone(query, 0),
        ):
            assert values[candidates.shortlists[query]].min() >= values[beyond].max()
            order = np.argsort(-candidates.similarity(query)[beyond])
            assert (np.diff(values[beyond][order]) < 0).all()


@pytest.mark.parametrize(
    "reranker", [KReciprocal(reach=12), QueryExpansion(reach=12)], ids=lambda one: one.name
)
def test_a_mate_of_the_querys_own_encounter_helps_nobody(reranker: Reranker) -> None:
    """Whatever photos of its own encounter look like, the query's valid candidates score as they did."""
    table = with_parts(tiny_table())
    embeddings = embeddings_of(table)
    sides = Sides.of(table, "cross-encounter", part="test")
    encounters = table["encounter"].to_numpy()
    for query in range(0, len(sides), 3):
        row = sides.queries[query]
        mates = np.flatnonzero((encounters == encounters[row]) & (np.arange(len(table)) != row))
        changed = embeddings.copy()
        changed[mates] = changed[row]  # the nearest that can be
        before = Candidates(sides, embeddings, reranker=reranker, pairs=5).base(query)
        after = Candidates(sides, changed, reranker=reranker, pairs=5).base(query)
        valid = sides.valid(query)
        assert not valid[np.isin(sides.gallery, mates)].any()
        assert after[valid] == pytest.approx(before[valid], abs=1e-5)


def test_what_is_beyond_a_rerankers_reach_stays_behind_in_its_order() -> None:
    table = with_parts(tiny_table())
    sides = Sides.of(table, "image-loo", part="test")
    candidates = Candidates(sides, embeddings_of(table), reranker=KReciprocal(reach=6), pairs=4)
    valid = np.flatnonzero(sides.valid(0))
    order = valid[np.argsort(-candidates.similarity(0)[valid])]
    base = candidates.base(0)
    assert base[order[:6]].min() > base[order[6:]].max()
    assert (np.diff(base[order[6:]]) < 0).all()
