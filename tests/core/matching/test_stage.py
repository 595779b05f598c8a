from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.core.matching.made import Colour, Pictures

from wildreid.artefacts import Evidence
from wildreid.data.table import Table
from wildreid.evaluation.decision import decide
from wildreid.evaluation.rank import rank
from wildreid.kinds import Reranker
from wildreid.matching.candidates import Candidates
from wildreid.matching.curve import fit_pairs
from wildreid.matching.local import open_local
from wildreid.matching.shown import shown_pairs
from wildreid.matching.sides import Sides
from wildreid.matching.stage import Outcome, Stage
from wildreid.recipe.settings import Evaluation, LocalMatching
from wildreid.testing.material import embeddings_of, tiny_table
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.rerankers.k_reciprocal import KReciprocal

MATCHING = LocalMatching(pairs=15, random=5)


def herd() -> Table:
    """Half of the individuals in val, half in test."""
    table = tiny_table(individuals=20, encounters=3, burst=2)
    names = sorted(table["identity"].unique())
    part = (
        table["identity"].map({name: ("val", "test")[n % 2] for n, name in enumerate(names)}).astype("string")
    )
    return table.with_rows(table.rows.assign(part=part, role="both"))


def staged(
    table: Table,
    cache: Path,
    *,
    noise: float = 6,
    matchers: tuple[Any, ...] = (Colour(),),
    reranker: Reranker | None = None,
    pictures: Pictures | None = None,
) -> Outcome:
    recipe: Any = SimpleNamespace(
        matchers=matchers, fusion=CalibratedMean() if matchers else None, reranker=reranker, matching=MATCHING,
        evaluation=Evaluation(bootstrap=200, protocols=("cross-encounter",)), seed=0, private=False,
        images=SimpleNamespace(cache_gib=1), training=SimpleNamespace(workers=0),
    )  # fmt: skip
    embeddings = embeddings_of(table, noise=1.2)
    pictures = pictures or Pictures(table, noise=noise)
    with Stage(recipe, table, pictures, embeddings, device="cpu", cache=cache) as stage:  # type: ignore[arg-type]
        return stage.run("cross-encounter", rank(embeddings, table, protocol="cross-encounter"))


def test_a_matcher_that_knows_the_animals_counts(tmp_path: Path) -> None:
    table = herd()
    outcome = staged(table, tmp_path)
    told = outcome.told
    assert told["stands"] == "fused"
    assert told["gates"]["fused"]["low"] > 0
    figures = told["figures"]
    assert figures["fused"]["accuracy@1"]["value"] > figures["embedding"]["accuracy@1"]["value"]
    mean = (outcome.ranking.own_rank == 1)[outcome.ranking.mated].mean()
    assert mean == pytest.approx(figures["fused"]["accuracy@1"]["value"])
    assert told["says"][0].startswith("Matching by colour counts, since it helps on validation")
    assert not told["exhaustive"]
    assert "to the 15 nearest of" in " ".join(told["says"])
    json.dumps(told)


def test_a_matcher_that_knows_nothing_does_not_count(tmp_path: Path) -> None:
    table = herd()
    outcome = staged(table, tmp_path, noise=400)
    embeddings = embeddings_of(table, noise=1.2)
    plain = rank(embeddings, table, protocol="cross-encounter")
    assert outcome.told["stands"] == "embedding"
    assert np.array_equal(outcome.ranking.own_rank, plain.own_rank)
    assert outcome.scores_of is None
    assert "does not count, since validation does not prove that it helps" in outcome.told["says"][0]


def test_the_labels_of_test_change_nothing_that_is_fitted_or_chosen(tmp_path: Path) -> None:
    table = herd()
    test = np.flatnonzero(table["part"] == "test")
    mixed = table["identity"].to_numpy(dtype=object, copy=True)
    mixed[test] = np.random.default_rng(1).permutation(mixed[test])
    other = table.with_rows(table.rows.assign(identity=mixed).astype({"identity": "string"}))
    pictures = Pictures(table, noise=6)
    before, after = (staged(one, tmp_path, pictures=pictures) for one in (table, other))
    for name in ("gates", "curves", "stands"):
        assert before.told[name] == after.told[name]
    assert np.array_equal(before.validation.top_scores, after.validation.top_scores)
    settings = {"false_accepts": 0.05}
    embeddings = embeddings_of(table, noise=1.2)
    assert decide(
        Evidence(before.validation, table, embeddings), scores_of=before.scores_of, **settings
    ) == decide(Evidence(after.validation, other, embeddings), scores_of=after.scores_of, **settings)


def test_a_shortlist_knows_no_labels_but_for_masks(tmp_path: Path) -> None:
    """Under image-loo masks are the query alone, so shortlists are the nearest whatever the labels say."""
    table = herd()
    embeddings = embeddings_of(table)
    mixed = table["identity"].sample(frac=1, random_state=0).to_numpy()
    listed = []
    for one in (table, table.with_rows(table.rows.assign(identity=mixed).astype({"identity": "string"}))):
        sides = Sides.of(one, "image-loo", part="test")
        candidates = Candidates(sides, embeddings, reranker=None, pairs=5)
        candidates.match([])
        listed.append([sorted(sides.gallery[places]) for places in candidates.shortlists])
    assert listed[0] == listed[1]


def test_two_runs_and_one_from_the_cache_are_equal(tmp_path: Path) -> None:
    table = herd()
    first = staged(table, tmp_path / "a")
    for cache in ("a", "b"):
        again = staged(table, tmp_path / cache)
        assert json.dumps(again.told) == json.dumps(first.told)
        for field in fields(first.ranking):
            one, other = getattr(first.ranking, field.name), getattr(again.ranking, field.name)
            assert np.array_equal(one, other, equal_nan=field.name == "own_score"), field.name


def test_a_reranker_has_a_gate_of_its_own(tmp_path: Path) -> None:
    told = staged(herd(), tmp_path, matchers=(), reranker=KReciprocal()).told
    assert told["stands"] in ("embedding", "re-ranked")
    assert told["gates"]["re-ranked"]["open"] == (told["stands"] == "re-ranked")
    assert "fused" not in told["figures"]
    assert told["says"][0].startswith("Re-ranking by k-reciprocal")


def test_a_decision_is_fitted_anew_on_the_fused_score(tmp_path: Path) -> None:
    table = herd()
    outcome = staged(table, tmp_path)
    embeddings = embeddings_of(table, noise=1.2)
    evidence = Evidence(outcome.validation, table, embeddings)
    decision: Any = decide(evidence, false_accepts=0.05, scores_of=outcome.scores_of)
    unknown = outcome.validation.impostor_score
    assert (unknown >= decision.threshold).mean() <= 0.05
    assert decision.burst_scores
    assert 0 <= decision.threshold <= 1


def test_photos_without_points_and_without_masks_are_counted(tmp_path: Path) -> None:
    table = herd()
    pictures = Pictures(table, noise=6, black=[0, 1, 2])
    pictures.anywhere[:7] = True
    told = staged(table, tmp_path, pictures=pictures).told
    assert told["points"]["colour"]["without"] == 3
    assert told["points"]["colour"]["anywhere"] == 7
    said = " ".join(told["says"])
    assert "In 3 of 116 photos colour found no point; their pairs score 0." in said
    assert "7 of 116 photos have neither a mask nor a box" in said


def test_matches_that_know_the_place_are_told_of(tmp_path: Path) -> None:
    """Pictures that show where and when they were taken: different animals match better there."""
    table = herd()
    group = table.rows["timestamp"].dt.isocalendar().week.astype(str) + table.rows["camera"]
    table = table.with_rows(table.rows.assign(group=group.astype("string")))
    shown = table.with_rows(table.rows.assign(identity=table["group"]))
    told = staged(table, tmp_path, pictures=Pictures(shown, noise=4)).told
    assert told["place"]["colour"]["value"] > 0.9
    assert told["place"]["colour"]["low"] > 0.5
    assert "Matches of colour know the place" in told["says"][-1]
    plain = staged(table, tmp_path / "plain", noise=6).told
    assert plain["place"]["colour"]["low"] < 0.5


def test_too_few_pairs_to_fit_on_leave_the_embedding(tmp_path: Path) -> None:
    table = herd()
    few = table.rows["part"].eq("test") | table.rows["identity"].isin(["who00"])
    table = table.with_rows(table.rows[few].reset_index(drop=True))
    told = staged(table, tmp_path).told
    assert told["stands"] == "embedding"
    assert "fewer than 10 validation pairs" in told["says"][0]


def test_pairs_that_are_shown_are_the_surest(tmp_path: Path) -> None:
    table = herd()
    pictures = Pictures(table, noise=6)
    outcome = staged(table, tmp_path, pictures=pictures)
    local = open_local(Colour(), pictures, np.arange(len(table)), device="cpu", cache=tmp_path)
    pairs = shown_pairs(outcome.ranking, table, pictures, local, private=False)
    assert 0 < len(pairs) <= 12
    for pair in pairs:
        assert pair["same"] == (table["identity"][pair["query"]] == table["identity"][pair["found"]])
        assert pair["points"] == len(pair["lines"]) == 1
        assert all(uri.startswith("data:image/jpeg;base64,") for uri in pair["pictures"])
    withheld = table.with_rows(table.rows.assign(private=True))
    assert not shown_pairs(outcome.ranking, withheld, pictures, local, private=False)
    assert shown_pairs(outcome.ranking, withheld, pictures, local, private=True)


def test_a_curve_never_falls() -> None:
    random = np.random.default_rng(0)
    scores, same = random.normal(size=400), random.uniform(size=400) < 0.3
    against = np.where(same, scores - 2, scores)
    for method in ("logistic", "isotonic"):
        curve = fit_pairs(against, same, method=method)  # type: ignore[arg-type]
        assert curve is not None
        assert curve.slope == 0
        assert (np.diff(curve(np.linspace(-5, 5, 50))) >= 0).all()
        rising = fit_pairs(-against, same, method=method)  # type: ignore[arg-type]
        assert rising is not None
        assert (np.diff(rising(np.linspace(-2, 2, 50))) > 0).all()
        assert rising(-against)[same].mean() > rising(-against)[~same].mean() + 0.2
    assert fit_pairs(scores[:20], same[:20] & False, method="logistic") is None
