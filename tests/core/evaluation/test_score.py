from __future__ import annotations

import json
from typing import ClassVar, get_args

import numpy as np
import pandas as pd
import pytest
from made.tables import golden, make_table, simulated
from tests.core.evaluation import naive

from wildreid.artefacts import Evidence, Missing
from wildreid.errors import UserError
from wildreid.evaluation.decision import fit_decision
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score, validator
from wildreid.kinds import Metric
from wildreid.recipe.settings import Watched


class FirstTry(Metric):
    """Whether the first is right."""

    name: ClassVar[str] = "first-try"

    def measure(self, *, evidence):
        ranking = evidence.ranking
        return {
            "first": np.where(ranking.mated, ranking.own_rank == 1, np.nan),
            "fpir": np.where(ranking.mated, np.nan, ranking.first_score > 0.5),
            "queries": float(len(ranking.queries)),
            "absent": Missing("it is not there"),
        }


def scored(table, embeddings, protocol="cross-encounter", **settings):
    ranking = rank(embeddings, table, protocol=protocol, any_length=True)
    decision = settings.pop("decision", None)
    settings = {"bootstrap": 200, "confidence": 0.95, "seed": 0, **settings}
    return score(Evidence(ranking, table, embeddings, decision), [FirstTry()], **settings)


def test_every_figure_has_its_n_interval_and_reason():
    table, embeddings = simulated(individuals=35, encounters=2, burst=2, noise=2.0)
    block = scored(table, embeddings)
    first = block["scores"]["first"]
    assert first["low"] <= first["value"] <= first["high"]
    assert first["n"] == 140
    assert first["note"] is None
    assert block["scores"]["queries"]["value"] == 140
    assert block["scores"]["queries"]["low"] is None
    assert block["scores"]["absent"]["reason"] == "it is not there"
    assert block["scores"]["absent"]["value"] is None
    assert block["scores"]["fpir"]["reason"] == "no query counts, of 140 mated and 0 non-mated"
    assert json.loads(json.dumps(block, allow_nan=False)) == block


def test_few_individuals_are_said_to_make_the_interval_too_narrow():
    _, table, embeddings = golden()
    first = scored(table, embeddings)["scores"]["first"]
    assert first["note"] == "3 individuals, under 30: the interval is wide and rough"
    assert scored(table, embeddings, bootstrap=0)["scores"]["first"]["low"] is None


def test_counts_and_relations_stand_beside_the_figures():
    _, table, embeddings = golden()
    block = scored(table, embeddings)
    assert block["counts"] == {
        "gallery": 11, "individuals": 5, "encounters": 9, "queries": 8, "mated": 5, "non_mated": 3,
        "masked": 3, "query_individuals": 6, "query_encounters": 8,
    }  # fmt: skip
    assert block["gallery_relation"] == "open"
    assert block["training_relation"] == "no training part"
    for trained, relation in [("A", "seen and unseen"), ("Z", "disjoint")]:
        row = table.rows.iloc[[0]].assign(part="train", identity=trained, id="t", image="t")
        rows = table.with_rows(pd.concat([table.rows, row]))
        block = scored(rows, np.concatenate([embeddings, embeddings[:1]]))
        assert block["training_relation"] == relation


def test_without_dates_every_figure_across_encounters_is_null_with_the_reason():
    _, table, embeddings = golden()
    undated = table.with_rows(table.rows.assign(timestamp=np.datetime64("NaT", "us")))
    across = scored(undated, embeddings)
    assert across["reason"].startswith("no dates")
    for figure in across["scores"].values():
        assert figure["value"] is None
        assert figure["reason"].startswith("no dates")
    loo = scored(undated, embeddings, "image-loo")
    assert loo["scores"]["first"]["value"] == 0.5
    assert loo["optimistic"] == "no dates"
    assert scored(table, embeddings, "image-loo")["optimistic"].startswith("a query may be matched")


def test_two_metrics_of_one_figure_are_refused():
    _, table, embeddings = golden()
    evidence = Evidence(rank(embeddings, table, protocol="image-loo", any_length=True), table, embeddings)
    with pytest.raises(UserError, match="two metrics give the figure 'first'"):
        score(evidence, [FirstTry(), FirstTry()], bootstrap=0, confidence=0.95, seed=0)


def test_curves():
    table, embeddings = simulated(individuals=30, encounters=3, burst=2, noise=2.0)
    table.rows.loc[:29, "role"] = "query"
    both = table.with_rows(pd.concat([table.rows, table.rows.assign(part="val", role="both")]))
    twice = np.concatenate([embeddings, embeddings])
    decision = fit_decision(twice, both, protocol="cross-encounter", false_accepts=0.1)
    ranking = rank(embeddings, table, protocol="cross-encounter")
    curves = scored(table, embeddings, decision=decision)["curves"]
    assert curves["accuracy"]["accuracy"][2] == np.mean(ranking.own_rank[ranking.mated] <= 3)
    best, own = ranking.first_score, ranking.own_score
    for threshold, dir1, fpir in zip(*curves["dir_fpir"].values(), strict=True):
        assert dir1 == pytest.approx(
            np.mean((ranking.own_rank == 1)[ranking.mated] & (own >= threshold)[ranking.mated])
        )
        assert fpir == pytest.approx(np.mean(best[~ranking.mated] >= threshold))
    assert sum(curves["reliability"]["n"]) == len(table)
    assert np.average(curves["reliability"]["right"], weights=curves["reliability"]["n"]) == pytest.approx(
        np.mean(ranking.own_rank == 1)
    )
    false, true = curves["verification"]["far"], curves["verification"]["tar"]
    assert false[0] == true[0] == 0
    assert false[-1] == true[-1] == 1
    assert np.all(np.diff(false) >= 0)
    assert np.all(np.diff(true) >= 0)


def test_bursts_flatter_image_loo_and_not_cross_encounter():
    """Embeddings that remember the encounter and little of the animal: what a leak is worth."""
    table, embeddings = simulated(
        individuals=60, encounters=4, burst=4, noise=0.3, encounter=1.6, width=32, seed=1
    )
    loo = scored(table, embeddings, "image-loo")["scores"]["first"]["value"]
    across = scored(table, embeddings, "cross-encounter")["scores"]["first"]["value"]
    assert loo > 0.99
    assert across < 0.6


def split_table():
    table, embeddings = simulated(individuals=12, encounters=3, burst=2, noise=1.5)
    table.rows["part"] = [("train", "val", "test")[i // 2 % 3] for i in range(len(table))]
    table.rows.loc[24:, "part"] = ["val" if i % 12 < 6 else "test" for i in range(24, len(table))]
    return table, embeddings


@pytest.mark.parametrize("gallery", ["val", "train"])
def test_validation_is_by_val_alone(gallery):
    table, embeddings = split_table()
    parts = ("train", "val") if gallery == "train" else ("val",)
    rows = np.flatnonzero(table["part"].isin(parts))
    validate = validator(table, protocol="cross-encounter", gallery=gallery)
    found = validate(embeddings[rows])
    ranking = rank(embeddings, table, protocol="cross-encounter", part="val", gallery=(gallery,))
    ranks = ranking.own_rank[ranking.mated]
    figures = {f"accuracy@{k}": np.mean(ranks <= k) for k in (1, 3, 5, 10)}
    true_ranks = np.split(ranking.true_ranks, ranking.true_offsets[1:-1])
    precisions = [naive.average_precision(one.tolist()) for one in true_ranks if len(one)]
    figures |= {"mrr": np.mean(1 / ranks), "map": np.mean(precisions)}
    who = table["identity"].iloc[ranking.queries[ranking.mated]].to_numpy(str)
    for name, values in (("macro-accuracy@1", ranks <= 1), ("macro-map", np.array(precisions))):
        figures[name] = np.mean([values[who == one].mean() for one in np.unique(who)])
    evidence = Evidence(ranking, table, embeddings)
    figures |= {f"{k}-shot": np.nanmean(evidence.few_shots(k)) for k in (1, 5)}
    assert found == pytest.approx(figures)
    assert set(found) == set(get_args(Watched))
    # other labels in the test part change nothing
    rows_of = table.rows.assign(identity=table["identity"].where(table["part"] != "test", "nobody"))
    other = validator(table.with_rows(rows_of), protocol="cross-encounter", gallery=gallery)
    assert other(embeddings[rows]) == found


def test_few_shots_of_a_large_validation_part_are_measured_where_they_choose(monkeypatch):
    monkeypatch.setattr("wildreid.evaluation.score.QUICK", 3)
    table, embeddings = split_table()
    val = embeddings[np.flatnonzero(table["part"] == "val")]
    assert "1-shot" not in validator(table, protocol="cross-encounter")(val)
    found = validator(table, protocol="cross-encounter", watch="1-shot")(val)
    assert "1-shot" in found
    assert "5-shot" not in found


class Accuracy(Metric):
    """Under the name of the headline."""

    name: ClassVar[str] = "accuracy"

    def measure(self, *, evidence):
        ranking = evidence.ranking
        return {"accuracy@1": np.where(ranking.mated, ranking.own_rank == 1, np.nan)}


def test_image_loo_that_is_saturated_says_so():
    table, embeddings = simulated(individuals=40, encounters=3, burst=3, noise=0.2, encounter=2.0)
    notes = {}
    for protocol in ("image-loo", "cross-encounter"):
        evidence = Evidence(rank(embeddings, table, protocol=protocol), table, embeddings)
        block = score(evidence, [Accuracy()], bootstrap=10, confidence=0.95, seed=0)
        notes[protocol] = block["scores"]["accuracy@1"]["note"]
    assert "saturated" in notes["image-loo"]
    assert notes["cross-encounter"] is None


def test_validation_without_dates_is_by_image_loo_and_says_so(capsys):
    table, embeddings = split_table()
    undated = table.with_rows(table.rows.assign(timestamp=np.datetime64("NaT", "us")))
    validate = validator(undated, protocol="cross-encounter")
    said = " ".join(capsys.readouterr().err.split())
    assert "validation is by image-loo in place of cross-encounter: no dates" in said
    val = np.flatnonzero(table["part"] == "val")
    ranking = rank(embeddings, table, protocol="image-loo", part="val")
    assert validate(embeddings[val])["accuracy@1"] == np.mean(ranking.own_rank[ranking.mated] == 1)


@pytest.mark.parametrize("gallery", ["val", "train"])
def test_validation_needs_a_validation_part(gallery):
    table = make_table([(f"{i}.jpg", f"a{i % 2}", f"e{i}", "both") for i in range(4)], part="train")
    with pytest.raises(UserError, match="the validation part is empty"):
        validator(table, protocol="cross-encounter", gallery=gallery)


def test_validation_needs_a_query_that_can_be_matched():
    table = make_table([(f"{i}.jpg", f"a{i}", f"e{i}", "both") for i in range(4)], part="val")
    with pytest.raises(UserError, match="no val image can be matched"):  # before anything is trained
        validator(table, protocol="cross-encounter")


def test_what_stands_beside_the_headline_by_plain_loops():
    table, embeddings = simulated(individuals=12, encounters=3, burst=2, noise=1.5)
    rows = table.rows.copy()
    rows.loc[rows.index[::3], "timestamp"] += pd.Timedelta(days=200)
    table = table.with_rows(rows)
    ranking = rank(embeddings, table, protocol="cross-encounter")
    beside = scored(table, embeddings)["beside"]
    right, far, guesses, by = [], [], [], {}
    for at, query in enumerate(ranking.queries):
        if not ranking.mated[at]:
            continue
        me = table.rows.iloc[query]
        valid = [g for g in ranking.gallery if g != query and table["encounter"][g] != me["encounter"]]
        own = [g for g in valid if table["identity"][g] == me["identity"]]
        hit = float(ranking.own_rank[at] == 1)
        right.append(hit)
        by.setdefault(me["identity"], []).append(hit)
        guesses.append(len(own) / len(valid))
        apart = [abs((table["timestamp"][g].normalize() - me["timestamp"].normalize()).days) for g in own]
        far += [hit] if min(apart) >= 30 else []
    assert beside["macro-accuracy@1"]["value"] == pytest.approx(
        np.mean([np.mean(one) for one in by.values()])
    )
    assert beside["chance"]["value"] == pytest.approx(np.mean(guesses))
    month = beside["accuracy@1, a month apart"]
    assert month["n"] == len(far)
    assert month["value"] == (pytest.approx(np.mean(far)) if far else None)


def test_no_interval_has_no_width():
    table, embeddings = simulated(individuals=12, encounters=2, burst=2, noise=0.0)
    first = scored(table, embeddings)["scores"]["first"]
    assert first["value"] == 1
    assert first["low"] is first["high"] is None
    assert "all individuals agree" in first["note"]
