"""Every metric against the golden fixture, and against a second derivation with plain loops."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.tables import golden, make_table, simulated
from tests.core.evaluation import naive

from wildreid.artefacts import Combined, Decision, Evidence, Missing
from wildreid.evaluation.intervals import Bootstrap, bounds
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid_plugins.metrics import wildreid_metrics
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK
from wildreid_plugins.metrics.auroc import AUROC
from wildreid_plugins.metrics.average_precision import AveragePrecision
from wildreid_plugins.metrics.baks_baus import BaksBaus
from wildreid_plugins.metrics.calibration import Calibration
from wildreid_plugins.metrics.clusters import Clusters
from wildreid_plugins.metrics.dir_fpir import DirFpir
from wildreid_plugins.metrics.encounter_accuracy_at_k import EncounterAccuracyAtK
from wildreid_plugins.metrics.image_accuracy_at_k import ImageAccuracyAtK
from wildreid_plugins.metrics.k_shot import KShot
from wildreid_plugins.metrics.macro_accuracy_at_k import MacroAccuracyAtK
from wildreid_plugins.metrics.macro_average_precision import MacroAveragePrecision
from wildreid_plugins.metrics.mrr import MRR
from wildreid_plugins.metrics.r_precision import RPrecision
from wildreid_plugins.metrics.verification import Verification

PROTOCOLS = ("image-loo", "cross-encounter")


def decision(threshold, scores=(-1.0, 1.0), probabilities=(0.0, 1.0)):
    return Decision(threshold, 0.05, "logistic", scores, probabilities, (5, 11), (6, 2), False, "image-loo")


def figures(evidence, *metrics):
    found = {}
    for metric in metrics:
        for name, value in metric.measure(evidence=evidence).items():
            if isinstance(value, Combined):
                found[name] = value.value
            else:
                found[name] = float(np.nanmean(value)) if isinstance(value, np.ndarray) else value
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_golden(protocol):
    fixture, table, embeddings = golden()
    expected = fixture["expected"][protocol]
    evidence = Evidence(rank(embeddings, table, protocol=protocol, any_length=True), table, embeddings)
    found = figures(
        evidence,
        AccuracyAtK(k=(1, 2, 3)),
        ImageAccuracyAtK(k=(1, 3)),
        MacroAccuracyAtK(k=(1,)),
        MRR(),
        AveragePrecision(),
        AUROC(),
    )
    names = {f"individual@{k}": f"accuracy@{k}" for k in (1, 2, 3)}
    names |= {f"image@{k}": f"image-accuracy@{k}" for k in (1, 3)}
    names |= {"macro_individual@1": "macro-accuracy@1", "mrr": "mrr", "map": "map", "auroc": "auroc"}
    for name, ours in names.items():
        assert found[ours] == pytest.approx(expected[name], abs=1e-6), name


@pytest.mark.parametrize("threshold", ["0.55", "0.75"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_golden_at_a_threshold(protocol, threshold):
    fixture, table, embeddings = golden()
    expected = fixture["expected"][protocol]["at"][threshold]
    ranking = rank(embeddings, table, protocol=protocol, any_length=True)
    found = figures(Evidence(ranking, table, embeddings, decision(float(threshold))), DirFpir(), BaksBaus())
    for name, ours in {"fpir": "fpir", "dir1": "dir@1", "baks": "baks", "baus": "baus"}.items():
        assert found[ours] == pytest.approx(expected[name], abs=1e-6), name
    assert found["baks-baus"] == pytest.approx(math.sqrt(expected["baks"] * expected["baus"]), abs=1e-6)


@st.composite
def evidences(draw):
    """A small open-set case in which rounded scores tie often."""
    count = draw(st.integers(2, 14))
    who = draw(st.lists(st.sampled_from(["A", "B", "C", "D", None]), min_size=count, max_size=count))
    when = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    roles = draw(st.lists(st.sampled_from(["query", "both", "both"]), min_size=count, max_size=count))
    rows = [(f"{i:02}.jpg", who[i], f"{who[i]}-{when[i]}", roles[i]) for i in range(count)]
    vectors = st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=3, max_size=3)
    embeddings = np.array(draw(st.lists(vectors, min_size=count, max_size=count)), dtype=np.float32) / 4
    protocol = draw(st.sampled_from(PROTOCOLS))
    table = make_table(rows)
    evidence = Evidence(
        rank(embeddings, table, protocol=protocol, any_length=True),
        table,
        embeddings,
        decision(draw(st.sampled_from([0.1, 0.3]))),
    )
    queries = [row for row in rows if row[3] != "gallery"]
    gallery = [row for row in rows if row[3] != "query" and row[1] is not None]
    exact = {row[0]: embeddings[i].astype(float) for i, row in enumerate(rows)}
    scores = [[float(exact[q[0]] @ exact[g[0]]) for g in gallery] for q in queries]
    answers = naive.rank(
        scores, [q[:3] for q in queries], [g[:3] for g in gallery], protocol == "cross-encounter"
    )
    return evidence, queries, answers


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else math.nan


def same(found, expected):
    if isinstance(found, Missing):
        assert math.isnan(expected)
    else:
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
@given(case=evidences())
@settings(max_examples=60, deadline=None)
def test_equals_plain_loops(case):
    evidence, queries, answers = case
    threshold = evidence.decision.threshold
    mated = [a for a in answers if a.own_rank]
    unknown = [a for a in answers if not a.own_rank]
    best = {id(a): max(a.impostor, a.own_score) if a.own_rank else a.impostor for a in answers}
    found = figures(
        evidence, AccuracyAtK(), ImageAccuracyAtK(), MacroAccuracyAtK(), MRR(), AveragePrecision(),
        RPrecision(), AUROC(), DirFpir(k=(1, 2)), BaksBaus(), Calibration(),
    )  # fmt: skip
    names = [q[1] or f"group {q[2]}" for q in queries]
    for k in (1, 3, 5, 10):
        same(found[f"accuracy@{k}"], mean(a.own_rank <= k for a in mated))
        same(found[f"image-accuracy@{k}"], mean(a.true_ranks[0] <= k for a in mated))
        each = defaultdict(list)
        for name, a in zip(names, answers, strict=True):
            if a.own_rank:
                each[name].append(a.own_rank <= k)
        same(found[f"macro-accuracy@{k}"], mean(mean(hits) for hits in each.values()))
    same(found["mrr"], mean(1 / a.own_rank for a in mated))
    same(found["map"], mean(naive.average_precision(a.true_ranks) for a in mated))
    same(
        found["r-precision"],
        mean(sum(r <= len(a.true_ranks) for r in a.true_ranks) / len(a.true_ranks) for a in mated),
    )
    for k in (1, 2):
        same(found[f"dir@{k}"], mean(a.own_rank <= k and a.own_score >= threshold for a in mated))
    same(found["fpir"], mean(best[id(a)] >= threshold for a in unknown))
    known, new = defaultdict(list), defaultdict(list)
    for name, a in zip(names, answers, strict=True):
        believed = best[id(a)] >= threshold
        (known if a.own_rank else new)[name].append(
            believed and a.own_rank == 1 if a.own_rank else not believed
        )
    same(found["baks"], mean(mean(v) for v in known.values()))
    same(found["baus"], mean(mean(v) for v in new.values()))
    if mated and unknown:
        same(found["auroc"], naive.auroc([best[id(a)] for a in mated], [best[id(a)] for a in unknown]))
        thresholds = [best[id(a)] for a in mated]
        passing = [t for t in thresholds if mean(other >= t for other in thresholds) >= 0.95]
        same(found["fpr@95tpr"], mean(best[id(a)] >= max(passing) - 1e-6 for a in unknown))
    else:
        assert isinstance(found["auroc"], Missing)
    probability = {id(a): min(max((best[id(a)] + 1) / 2, 0), 1) for a in answers}
    if answers:
        same(found["brier"], mean((probability[id(a)] - (a.own_rank == 1)) ** 2 for a in answers))


@given(case=evidences(), k=st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_encounters_vote(case, k):
    evidence, queries, _ = case
    ranking = evidence.ranking
    ballots = defaultdict(lambda: defaultdict(float))
    truth = {}
    for q, (_, who, when, _) in enumerate(queries):
        if not ranking.mated[q]:
            continue
        truth[when] = who
        for place, individual in enumerate(ranking.top[q]):
            if individual >= 0:
                ballots[when][ranking.individuals[individual]] += 1 / (place + 1)
    right = []
    for when, votes in ballots.items():
        own = votes[truth[when]]
        ahead = sum(1 for who, vote in votes.items() if who != truth[when] and vote >= own - 1e-9)
        right.append(own > 0 and ahead < k)
    value = EncounterAccuracyAtK(k=(k,)).measure(evidence=evidence)[f"encounter-accuracy@{k}"]
    assert np.isfinite(value).sum() == len(right)
    if right:
        assert np.nanmean(value) == pytest.approx(mean(right))


def test_macro_map_is_the_mean_over_individuals():
    table, embeddings = simulated(individuals=9, encounters=3, burst=2, noise=2.5)
    keep = np.r_[0:30, 36:48]  # some individuals have more photos than others
    table, embeddings = table.with_rows(table.rows.iloc[keep]), embeddings[keep]
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    own = defaultdict(list)
    precision = AveragePrecision().measure(evidence=evidence)["map"]
    for query, value in zip(evidence.ranking.queries, precision, strict=True):
        own[table.rows["identity"][query]].append(value)
    expected = mean([mean(values) for values in own.values()])
    assert figures(evidence, MacroAveragePrecision()) == {"macro-map": pytest.approx(expected)}


def test_k_shot_is_named_by_its_k():
    table, embeddings = simulated(individuals=6, encounters=3, burst=1, noise=2.0)
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    found = KShot(k=(1, 3)).measure(evidence=evidence)
    assert list(found) == ["1-shot", "3-shot"]
    np.testing.assert_array_equal(found["1-shot"], evidence.few_shots(1))


def test_an_encounter_of_one_image_is_judged_as_its_image():
    table, embeddings = simulated(individuals=25, encounters=4, burst=1, noise=2.5)
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    found = figures(evidence, AccuracyAtK(), EncounterAccuracyAtK())
    for k in (1, 3, 5, 10):
        assert found[f"encounter-accuracy@{k}"] == found[f"accuracy@{k}"]


def test_votes_for_more_places_than_were_kept_are_missing():
    _, table, embeddings = golden()
    ranking = rank(embeddings, table, protocol="image-loo", keep=2, any_length=True)
    found = EncounterAccuracyAtK(k=(2, 3)).measure(evidence=Evidence(ranking, table, embeddings))
    assert isinstance(found["encounter-accuracy@2"], np.ndarray)
    assert "evaluation.keep" in found["encounter-accuracy@3"].reason


def test_scores_within_a_millionth_do_not_tell_known_from_unknown():
    rows = [("q0", "A", "e0", "query"), ("g0", "A", "e1", "gallery"), ("q1", None, "e2", "query")]
    for apart, expected in [(5e-7, 0.0), (-5e-7, 0.0), (5e-6, 1.0), (-5e-6, 0.0)]:
        embeddings = np.array([[1, 0], [0.5, 0], [1 - 2 * apart, 0]], dtype=np.float32)
        table = make_table(rows)
        evidence = Evidence(
            rank(embeddings, table, protocol="cross-encounter", any_length=True), table, embeddings
        )
        assert figures(evidence, AUROC()) == {"auroc": expected, "fpr@95tpr": 1 - expected}


def auroc_of(scores, mated, whose, seed, resamples=200):
    """The AUROC of these best scores, and its interval by individual."""
    ranking = SimpleNamespace(first_score=scores.astype(np.float32), mated=mated)
    value = AUROC().measure(evidence=SimpleNamespace(ranking=ranking))["auroc"]
    return value.value, Bootstrap(whose, resamples, 0.95, seed).interval(value)


def auroc_coverage(seeds, individuals):
    """How often the interval holds the truth, half of the individuals being known ones."""
    held = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        whose = np.repeat(np.arange(individuals), random.integers(1, 12, individuals))
        mated = whose < individuals // 2
        scores = mated + random.normal(size=individuals)[whose] + 0.5 * random.normal(size=len(whose))
        value, (low, high) = auroc_of(scores, mated, whose, seed)
        assert low <= value <= high
        held.append(low <= NormalDist().cdf(1 / math.sqrt(2 * 1.25)) <= high)
    return np.mean(held)


def test_the_interval_of_auroc_holds_the_truth_as_often_as_it_says():
    assert 0.90 <= auroc_coverage(range(150), 120) <= 0.99


@pytest.mark.stress
@pytest.mark.parametrize(("individuals", "least"), [(12, 0.88), (24, 0.92), (60, 0.92)])
def test_the_interval_of_auroc_holds_the_truth_as_often_as_it_says_in_many_simulations(individuals, least):
    assert least <= auroc_coverage(range(1500), individuals) <= 0.98


def test_the_interval_of_auroc_is_near_to_that_of_drawing_images_anew():
    random = np.random.default_rng(0)
    whose = np.repeat(np.arange(80), 5)
    mated = whose % 2 == 0
    scores = mated + random.normal(size=80)[whose] + 0.5 * random.normal(size=len(whose))
    _, (low, high) = auroc_of(scores, mated, whose, 0, 2000)
    drawn = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(whose == who) for who in random.integers(0, 80, 80)])
        known, unknown = scores[rows[mated[rows]]], scores[rows[~mated[rows]]]
        drawn.append(np.mean(known[:, None] > unknown))
    again = np.quantile(drawn, (0.025, 0.975))
    assert (low, high) == pytest.approx(tuple(again), abs=0.02)


def test_the_root_of_baks_and_baus_is_resampled_as_both():
    table, embeddings = simulated(individuals=40, encounters=3, burst=2, noise=2.0)
    table.rows.loc[:59, "role"] = "query"
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings, decision(0.4))
    found = BaksBaus().measure(evidence=evidence)
    draws = Bootstrap(evidence.individuals, 100, 0.95, 0)
    by_hand = np.sqrt(draws.means(found["baks"]) * draws.means(found["baus"]))
    np.testing.assert_array_equal(draws.figures(found["baks-baus"]), by_hand)
    block = score(evidence, [BaksBaus()], bootstrap=100, confidence=0.95, seed=0)["scores"]
    assert block["baks-baus"]["n"] == 40  # a value an individual
    expected = bounds(by_hand, 0.95, draws.effective(found["baks-baus"]))
    assert (block["baks-baus"]["low"], block["baks-baus"]["high"]) == pytest.approx(expected)
    assert block["baks-baus"]["note"] == "10 individuals, under 30: the interval is wide and rough"


def test_calibration_in_bins():
    table, embeddings = simulated(individuals=20, encounters=3, burst=3, noise=2.5)
    ranking = rank(embeddings, table, protocol="cross-encounter")
    evidence = Evidence(ranking, table, embeddings, decision(0.2))
    pairs = sorted(
        (float(evidence.decision.probability(s)), float(r == 1))
        for s, r in zip(ranking.first_score, ranking.own_rank, strict=True)
    )
    size = len(pairs) // 15
    assert size * 15 == len(pairs)
    bins = [pairs[i * size : (i + 1) * size] for i in range(15)]
    expected = mean(abs(mean(p for p, _ in part) - mean(y for _, y in part)) for part in bins)
    assert figures(evidence, Calibration())["ece"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_verification_over_all_pairs(protocol):
    table, embeddings = simulated(individuals=8, encounters=3, burst=3, noise=2.0, encounter=1.0)
    evidence = Evidence(rank(embeddings, table, protocol=protocol), table, embeddings)
    rows = table.rows
    ours, others = [], []
    for i in range(len(rows)):
        for j in range(i):
            score = float(embeddings[i].astype(float) @ embeddings[j].astype(float))
            if rows["identity"][i] != rows["identity"][j]:
                others.append(score)
            elif protocol == "image-loo" or rows["encounter"][i] != rows["encounter"][j]:
                ours.append(score)
    found = figures(evidence, Verification(far=(0.1,)))
    assert found["verification-pairs"] == len(ours) + len(others)
    rates = [(mean(s >= t - 1e-6 for s in others), mean(s < t for s in ours)) for t in [*ours, math.inf]]
    assert found["eer"] == pytest.approx(min(max(rate) for rate in rates), abs=1e-9)
    assert found["tar@far=0.1"] == pytest.approx(max(1 - frr for far, frr in rates if far <= 0.1), abs=1e-9)


def test_verification_by_a_sample_is_near_to_all_pairs():
    table, embeddings = simulated(individuals=40, encounters=4, burst=2, noise=2.5)
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    every, some = figures(evidence, Verification()), figures(evidence, Verification(pairs=5000))
    assert some["verification-pairs"] == 10_000 < every["verification-pairs"]
    assert some["eer"] == pytest.approx(every["eer"], abs=0.03)


def test_clusters_of_separate_and_of_mixed_individuals():
    table, embeddings = simulated(individuals=9, encounters=3, burst=3, noise=0.3)
    evidence = Evidence(rank(embeddings, table, protocol="image-loo"), table, embeddings)
    found = figures(evidence, Clusters())
    assert all(found[name] == pytest.approx(1) for name in ("ari", "ami", "nmi", "b-cubed"))
    assert found["clustered-images"] == 81
    mixed = np.random.default_rng(0).permutation(embeddings)
    chance = figures(Evidence(rank(mixed, table, protocol="image-loo"), table, mixed), Clusters(most=60))
    assert chance["ari"] < 0.15
    assert chance["ami"] < 0.15
    assert chance["clustered-images"] == 60


def test_constant_embeddings_score_at_most_chance():
    table, embeddings = simulated(individuals=10, encounters=3, burst=2)
    embeddings[:] = embeddings[0]
    table.rows.loc[:5, "role"] = "query"
    for protocol in PROTOCOLS:
        ranking = rank(embeddings, table, protocol=protocol)
        evidence = Evidence(ranking, table, embeddings, decision(0.5))
        found = figures(evidence, *(metric() for metric in wildreid_metrics()))
        for name in ("accuracy@1", "image-accuracy@1", "macro-accuracy@1", "encounter-accuracy@1"):
            assert found[name] <= 0.1, name
        assert found["auroc"] <= 0.5
        assert found["fpr@95tpr"] >= 0.95
        assert found["eer"] >= 0.5
        assert found["baks-baus"] == 0
        assert found["ari"] <= 0.1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_order_of_rows_changes_no_figure(protocol):
    table, embeddings = simulated(individuals=20, encounters=3, burst=3, noise=2.5, encounter=1.0)
    table.rows.loc[:8, "role"] = "query"
    table.rows.loc[:2, "identity"] = None
    shuffle = np.random.default_rng(1).permutation(len(table))
    mixed = table.with_rows(table.rows.iloc[shuffle])
    metrics = [metric() for metric in wildreid_metrics()]
    straight = Evidence(rank(embeddings, table, protocol=protocol), table, embeddings, decision(0.3))
    shuffled = Evidence(
        rank(embeddings[shuffle], mixed, protocol=protocol), mixed, embeddings[shuffle], decision(0.3)
    )
    expected = figures(straight, *metrics)
    found = figures(shuffled, *metrics)
    # probabilities are of float32 scores, whose last digits the product's order decides; all else is exact
    for name in ("brier", "ece"):
        assert found.pop(name) == pytest.approx(expected.pop(name), abs=1e-7)
    assert found == pytest.approx(expected, abs=1e-9)
