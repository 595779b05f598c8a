from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.core.evaluation.tables import make_table, simulated

from wildreid.artefacts import Decision, Missing
from wildreid.evaluation.decision import fit_decision, load_decision, save_decision, threshold_for
from wildreid.evaluation.rank import rank


def val(individuals=40, *, encounters=4, noise=2.0, seed=0, strangers=0):
    """A val part; the last `strangers` individuals are queries without a gallery."""
    table, embeddings = simulated(
        individuals=individuals,
        encounters=encounters,
        burst=2,
        noise=noise,
        encounter=0.5,
        seed=seed,
        part="val",
    )
    if strangers:
        table.rows.loc[len(table) - strangers * encounters * 2 :, "role"] = "query"
    return table, embeddings


def fit(table, embeddings, **settings):
    settings = {"protocol": "cross-encounter", "false_accepts": 0.1, **settings}
    return fit_decision(embeddings, table, **settings)


def test_the_threshold_is_the_smallest_that_keeps_to_the_rate():
    scores = np.array([0.9, 0.8, 0.8, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.0])
    for rate, accepted in [(0.0, 0), (0.1, 1), (0.25, 1), (0.3, 3), (0.9, 9)]:
        threshold = threshold_for(scores, rate)
        assert (scores >= threshold).sum() == accepted
        lower = np.sort(scores[scores < threshold])[-1]
        assert (scores >= lower).mean() > rate


def test_real_unknowns_are_used_where_there_are_enough():
    table, embeddings = val(strangers=5)
    found = fit(table, embeddings)
    assert not found.simulated
    assert found.queries == (280, 40)
    ranking = rank(embeddings, table, protocol="cross-encounter", part="val")
    assert (ranking.first_score[~ranking.mated] >= found.threshold).mean() <= 0.1
    assert found.gallery == (35, 280)


def test_few_unknowns_are_joined_by_simulated_ones():
    table, embeddings = val(strangers=2)
    found = fit(table, embeddings)
    assert found.simulated
    assert found.queries == (304, 16)
    ranking = rank(embeddings, table, protocol="cross-encounter", part="val")
    # a query whose own individual is out of the gallery has its best impostor first
    unknown = np.concatenate([ranking.first_score[~ranking.mated], ranking.impostor_score[ranking.mated]])
    assert 0.09 <= (unknown >= found.threshold).mean() <= 0.1


@pytest.mark.parametrize(("individuals", "method"), [(12, "logistic"), (60, "isotonic")])
def test_the_probability_rises_with_the_score(individuals, method):
    found = fit(*val(individuals, noise=1.2))
    assert found.method == method
    assert np.all(np.diff(found.scores) > 0)
    assert np.all(np.diff(found.probabilities) >= 0)
    assert 0 < found.probabilities[0] < 0.2 < 0.8 < found.probabilities[-1] < 1


@pytest.mark.parametrize("individuals", [12, 60])
def test_the_probability_is_about_right_on_other_animals(individuals):
    strangers = individuals // 2
    found = fit(*val(individuals, noise=1.4, strangers=strangers))
    right, probability = [], []
    for seed in range(1, 6):
        table, embeddings = val(individuals, noise=1.4, strangers=strangers, seed=seed)
        ranking = rank(embeddings, table, protocol="cross-encounter", part="val")
        right.append(ranking.own_rank == 1)
        probability.append(found.probability(ranking.first_score))
    right, probability = np.concatenate(right), np.concatenate(probability)
    assert abs(probability.mean() - right.mean()) < 0.08
    assert right[probability > 0.8].mean() > 0.7
    assert right[probability < 0.2].mean() < 0.3


def test_a_burst_weighs_as_much_as_one_image():
    table, embeddings = val(12)
    often = np.concatenate([np.arange(len(table)), np.repeat(np.arange(0, 24), 20)])
    rows = table.rows.iloc[often].copy()
    rows["image"] = [f"{i}.jpg" for i in range(len(rows))]
    rows["id"] = rows["image"]
    once, many = fit(table, embeddings), fit(table.with_rows(rows), embeddings[often])
    np.testing.assert_allclose(many.probabilities, once.probabilities, atol=0.02)


def test_the_test_part_is_never_looked_at():
    table, embeddings = val(20)
    rows = table.rows
    rows.loc[80:, "part"] = "test"
    before = fit(table, embeddings)
    changed = table.with_rows(rows.assign(identity=rows["identity"].where(rows["part"] == "val", "nobody")))
    other = embeddings.copy()
    other[80:] = np.random.default_rng(0).permutation(other[80:])
    assert fit(changed, other) == before
    assert before.queries == (80, 0)


def test_without_dates_it_is_fitted_by_image_loo():
    table, embeddings = val()
    table.rows["timestamp"] = None
    table.rows["timestamp"] = table.rows["timestamp"].astype("datetime64[us]")
    assert fit(table, embeddings).protocol == "image-loo"


def test_reasons_for_having_none():
    lonely = make_table([(f"{i}.jpg", f"a{i}", f"e{i}", "both") for i in range(5)], part="val")
    assert "no val query has an image" in fit(lonely, np.eye(5, dtype=np.float32)).reason
    few = make_table([(f"{i}.jpg", f"a{i % 2}", f"e{i}", "both") for i in range(4)], part="val")
    assert "4 unknown val queries" in fit(few, np.eye(4, dtype=np.float32)).reason
    one = make_table([(f"{i}.jpg", "a", f"e{i}", "both") for i in range(40)], part="val")
    assert "0 unknown val queries" in fit(one, np.eye(40, dtype=np.float32)).reason


def test_embeddings_that_tell_nothing_give_a_flat_probability():
    table, embeddings = val(12)
    embeddings[:] = embeddings[0]
    found = fit(table, embeddings)
    assert len(set(np.round(found.probabilities, 6))) == 1
    assert found.probabilities[0] < 0.1
    assert found.threshold > 1


def test_survives_a_file(tmp_path):
    for decision in (fit(*val(12)), Missing("no reason")):
        save_decision(decision, tmp_path / "decision.json")
        assert load_decision(tmp_path / "decision.json") == decision
    assert isinstance(fit(*val(12)), Decision)


def realised(seeds, rate=0.1):
    """The false-accept rate at the fitted threshold on unknown animals that were not seen in fitting."""
    accepted = []
    for seed in seeds:
        table, embeddings = val(60, seed=seed)
        found = fit(table, embeddings, false_accepts=rate)
        strangers, others = val(60, seed=10_000 + seed)
        gallery = table.rows.assign(role="gallery")
        asked = strangers.rows.assign(role="query", identity=None, image="new/" + strangers.rows["image"])
        asked["id"] = asked["image"]
        both = table.with_rows(pd.concat([gallery, asked]))
        ranking = rank(np.concatenate([embeddings, others]), both, protocol="cross-encounter", part="val")
        by_animal = (ranking.first_score >= found.threshold).reshape(60, -1).mean(axis=1)
        accepted.append(by_animal.mean())
    return np.array(accepted)


def test_held_out_strangers_are_accepted_about_as_often_as_asked():
    rates = realised(range(8))
    error = rates.std(ddof=1) / np.sqrt(len(rates))
    assert abs(rates.mean() - 0.1) < max(3 * error, 0.02)


@pytest.mark.stress
@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_held_out_strangers_are_accepted_as_often_as_asked_in_many_simulations(rate):
    rates = realised(range(100), rate)
    error = rates.std(ddof=1) / np.sqrt(len(rates))
    assert abs(rates.mean() - rate) < 3 * error + 0.005
