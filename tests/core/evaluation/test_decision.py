from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from made.tables import make_table, simulated

from wildreid.artefacts import Decision, Evidence, Missing
from wildreid.data.apart import keep_apart
from wildreid.evaluation.bursts import sample_of_bursts
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
        threshold = threshold_for(scores, np.full(10, 0.3), rate)
        assert (scores >= threshold).sum() == accepted
        lower = np.sort(scores[scores < threshold])[-1]
        assert (scores >= lower).mean() > rate
    # a score that weighs as much as the other nine
    assert threshold_for(scores, np.r_[9.0, np.ones(9)], 0.4) > 0.9 > threshold_for(scores, np.ones(10), 0.4)


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
    # a query whose own individual is out of the gallery has its best impostor first; all of these count as thirty
    real, simulated = ranking.first_score[~ranking.mated], ranking.impostor_score[ranking.mated]
    shares = [(scores >= found.threshold).mean() for scores in (real, simulated)]
    assert 0.08 <= np.average(shares, weights=(16, 30)) <= 0.1


def with_strangers(count, seed=3):
    """A val part, and single photos of animals that are not in it."""
    table, embeddings = val(20, noise=1.4, seed=seed)
    others, vectors = val(60, noise=1.4, seed=seed + 1)
    alone = others.rows.iloc[: 8 * count : 8].assign(role="query")
    for column in ("image", "id", "identity", "encounter", "group"):
        alone[column] = "other " + others.rows["image"].iloc[: 8 * count : 8]
    return table.with_rows(pd.concat([table.rows, alone])), np.concatenate(
        [embeddings, vectors[: 8 * count : 8]]
    )


@pytest.mark.parametrize("seed", [3, 5])
def test_one_unknown_more_moves_the_probability_little(seed):
    grid = np.linspace(-0.2, 1, 200)
    found = [fit(*with_strangers(count, seed)) for count in (0, 1, 28, 29, 30, 31)]
    curves = [one.probability(grid) for one in found]
    moved = np.abs(np.diff(curves, axis=0)).max(axis=1)
    assert np.delete(moved, 1).max() < 0.02  # except for the step from 1 to 28
    assert [one.simulated for one in found] == [True, True, True, True, False, False]


def test_the_probability_is_that_of_the_stated_prior():
    table, embeddings = val(30, noise=1.4, strangers=4)
    grid = np.linspace(0, 1, 50)
    rare, half, often = (fit(table, embeddings, prior=prior).probability(grid) for prior in (0.1, 0.5, 0.9))
    assert np.all(rare > half - 0.005)
    assert np.all(half > often - 0.005)
    assert (rare - often).max() > 0.3
    assert fit(table, embeddings).prior == 0.5
    assert "50 %" in fit(table, embeddings).in_words
    for wrong in (0, 1, -0.1):
        with pytest.raises(ValueError, match="a share between 0 and 1"):
            fit(table, embeddings, prior=wrong)


def stream(individuals, share, seed, *, encounters=4, burst=3, noise=1.7):
    """A gallery, and one encounter more with each of its animals and with as many new ones as asked."""
    new = round(individuals * share / (1 - share))
    table, embeddings = simulated(
        individuals=individuals + new, encounters=encounters + 1, burst=burst, noise=noise, encounter=0.5,
        seed=seed, part="val",
    )  # fmt: skip
    who, meeting = np.divmod(np.arange(len(table)) // burst, encounters + 1)
    role = np.where(meeting == encounters, "query", np.where(who < individuals, "gallery", "none"))
    rows = table.rows.assign(role=role, sequence=table.rows["encounter"])
    return table.with_rows(rows[role != "none"]), embeddings[role != "none"]


def reliability(seeds, individuals, share):
    """Probabilities and whether the first was right, of images and of bursts, on streams of this share."""
    found = {False: ([], []), True: ([], [])}
    for seed in seeds:
        table, embeddings = stream(individuals, 0.3, 1000 + seed)
        rows = table.rows.assign(role=table.rows["role"].where(table.rows["role"] == "query", "both"))
        decision = fit(table.with_rows(rows), embeddings, prior=share)
        table, embeddings = stream(individuals, share, seed)
        evidence = Evidence(
            rank(embeddings, table, protocol="cross-encounter", part="val"), table, embeddings
        )
        ranking, bursts = evidence.ranking, sample_of_bursts(evidence)
        found[False][0].append(decision.probability(ranking.first_score))
        found[False][1].append(ranking.own_rank == 1)
        found[True][0].append(decision.probability(np.r_[bursts.known, bursts.real], burst=True))
        found[True][1].append(np.r_[bursts.right, np.zeros(len(bursts.real), bool)])
    return {burst: tuple(map(np.concatenate, both)) for burst, both in found.items()}


def apart(probability, right):
    """The mean distance between probability and share right, in bins of a fifth."""
    bins = np.digitize(probability, (0.2, 0.4, 0.6, 0.8))
    gaps = [probability[bins == at].mean() - right[bins == at].mean() for at in np.unique(bins)]
    return np.average(np.abs(gaps), weights=np.unique(bins, return_counts=True)[1])


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_probabilities_hold_on_a_stream_of_the_stated_prior(share):
    for probability, right in reliability(range(4), 40, share).values():
        assert abs(probability.mean() - right.mean()) < 0.1


@pytest.mark.stress
@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("individuals", [12, 20, 60])
def test_probabilities_hold_on_many_streams_of_the_stated_prior(individuals, share):
    for burst, (probability, right) in reliability(range(60), individuals, share).items():
        assert abs(probability.mean() - right.mean()) < 0.05, burst
        assert apart(probability, right) < 0.06, burst


def test_a_burst_is_scored_by_the_mean_over_its_images():
    table, embeddings = stream(6, 0.3, 0)
    rows = table.rows.assign(role="both")
    table = table.with_rows(rows)
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter", part="val"), table, embeddings)
    bursts = sample_of_bursts(evidence)
    own, other, right = [], [], []
    similarity = embeddings @ embeddings.T
    for _, images in rows.groupby("encounter").groups.items():
        who, valid = (
            rows["identity"][images[0]],
            np.flatnonzero(rows["encounter"] != rows["encounter"][images[0]]),
        )
        scores = {}
        for name in rows["identity"][valid].unique():
            theirs = [row for row in valid if rows["identity"][row] == name]
            scores[name] = np.mean([max(similarity[image, theirs]) for image in images])
        if who in scores:
            own.append(max(scores.values()))
            other.append(max(value for name, value in scores.items() if name != who))
            right.append(scores[who] > other[-1])
        else:
            other.append(None)
    np.testing.assert_allclose(np.sort(bursts.known), np.sort(own), atol=1e-6)
    np.testing.assert_allclose(
        np.sort(bursts.simulated), np.sort([one for one in other if one is not None]), atol=1e-6
    )
    assert bursts.right.sum() == sum(right)
    assert len(bursts.real) == sum(one is None for one in other)


@pytest.mark.parametrize("protocol", ["cross-encounter", "image-loo"])
def test_a_burst_is_matched_to_no_photo_that_its_images_may_not_be_matched_to(protocol):
    """Sides change within bursts; an individual that an image may not be matched to is judged by the others."""
    table, embeddings = stream(6, 0.3, 0)
    side = np.random.default_rng(0).choice(["left", "right", None], len(table))
    rows = table.rows.assign(role="both", viewpoint=pd.Series(side, dtype="string"))
    table = keep_apart(table.with_rows(rows), ["side"])
    evidence = Evidence(rank(embeddings, table, protocol=protocol, part="val"), table, embeddings)
    bursts = sample_of_bursts(evidence)
    similarity, expected = embeddings @ embeddings.T, []
    for meeting, images in table.rows.groupby("encounter").groups.items():
        means = {}
        for name, theirs in table.rows.groupby("identity").groups.items():
            best = [
                [
                    similarity[image, row]
                    for row in theirs
                    if row != image
                    and (protocol == "image-loo" or table["encounter"][row] != meeting)
                    and (side[row] == side[image] or None in (side[row], side[image]))
                ]
                for image in images
            ]
            if any(best):
                means[name] = np.mean([max(one) for one in best if one])
        own = table["identity"][images[0]]
        if own in means:
            expected.append(max(means.values()))
    np.testing.assert_allclose(np.sort(bursts.known), np.sort(expected), atol=1e-6)


def test_bursts_have_a_probability_of_their_own_where_there_are_bursts():
    table, embeddings = val(30, noise=1.4)
    assert fit(table, embeddings).burst_scores == ()
    score = np.array([0.5])
    assert fit(table, embeddings).probability(score, burst=True) == fit(table, embeddings).probability(score)
    table.rows["sequence"] = table.rows["encounter"]
    assert fit(table, embeddings).burst_scores
    lonely = table.with_rows(table.rows.iloc[::2])  # bursts of one image
    assert fit(lonely, embeddings[::2]).burst_scores == ()


def accepted_by_others(seeds, individuals):
    """How often the interval of the decision holds the share of very many other animals that are accepted."""
    held = []
    for seed in seeds:
        table, embeddings = val(individuals + 150, encounters=4, seed=seed)
        mine = 8 * individuals
        found = fit(table.with_rows(table.rows.iloc[:mine]), embeddings[:mine])
        rows = table.rows.assign(role=np.where(np.arange(len(table)) < mine, "gallery", "query"))
        ranking = rank(embeddings, table.with_rows(rows), protocol="cross-encounter", part="val", keep=1)
        low, high = found.accepts
        held.append(low <= (ranking.first_score >= found.threshold).mean() <= high)
    return np.mean(held)


def test_a_small_gallery_says_how_little_is_known_of_its_false_accepts():
    few, many = (fit(*val(count)).accepts for count in (12, 80))
    assert few[0] < 0.1 < few[1]
    assert few[1] - few[0] > 1.5 * (many[1] - many[0])
    assert accepted_by_others(range(12), 12) >= 0.6


@pytest.mark.stress
@pytest.mark.parametrize("individuals", [10, 20, 50])
def test_the_interval_of_false_accepts_holds_the_truth_in_many_simulations(individuals):
    assert accepted_by_others(range(200), individuals) >= 0.82


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


def test_embeddings_that_tell_nothing_give_no_probability():
    table, embeddings = val(12)
    embeddings[:] = embeddings[0]
    found = fit(table, embeddings)
    assert not found.tells
    assert np.isnan(found.probability(np.array([0.0, 1.0], np.float32))).all()
    assert "not known" in found.in_words
    assert found.threshold > 1


def test_noise_is_hardly_ever_taken_for_a_calibration():
    table, embeddings = val(12)
    told = []
    for seed in range(20):
        drawn = np.random.default_rng(seed).standard_normal(embeddings.shape).astype(np.float32)
        told.append(fit(table, drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).tells)
    assert sum(told) <= 4


def test_a_decision_of_an_earlier_version_is_read(tmp_path):
    new = {"prior", "burst_scores", "burst_probabilities", "accepts"}
    save_decision(fit(*val(12)), tmp_path / "decision.json")
    value = json.loads((tmp_path / "decision.json").read_text())
    (tmp_path / "decision.json").write_text(json.dumps({k: v for k, v in value.items() if k not in new}))
    old = load_decision(tmp_path / "decision.json")
    assert (old.prior, old.burst_scores, old.accepts) == (None, (), None)
    assert "as many new animals as validation had" in old.in_words


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
