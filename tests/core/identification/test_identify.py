from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.core.gallery.made import RULE, made, unit

from wildreid.data.table import Table
from wildreid.gallery.store import Gallery
from wildreid.identification.bursts import bursts
from wildreid.identification.cautions import cautions
from wildreid.identification.identify import identify, unreadable
from wildreid.identification.outputs import CSV, Identified
from wildreid.identification.search import Search

DOCS = Path(__file__).parents[3] / "docs" / "gallery.md"


def queries(rows: int, burst: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"q{row}.jpg" for row in range(rows)],
            "key": [f"q{row:031x}" for row in range(rows)],
            "image": [f"q{row}.jpg" for row in range(rows)],
            "timestamp": pd.Timestamp("2024-06-01") + pd.to_timedelta(np.arange(rows), unit="s"),
            "burst": burst or list(range(rows)),
        }
    )


def near(gallery: Gallery, name: str, cosine: float, seed: int) -> np.ndarray:
    """A unit vector at exactly this cosine from one image of an individual."""
    image = gallery.state.embeddings(gallery.state.rows_of(name)[:1])[0].astype(float)
    other = unit(1, seed)[0].astype(float)
    other -= (other @ image) * image
    other /= np.linalg.norm(other)
    return (cosine * image + np.sqrt(1 - cosine**2) * other).astype(np.float32)


def test_answers_are_ranked_individuals_with_their_facts(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g")
    state = gallery.state
    embeddings = np.stack([near(gallery, "bear 2", 0.97, 3), near(gallery, "bear 4", 0.99, 4)])
    images, encounters = identify(Search(state), queries(2), embeddings, top=3)
    assert [answer.individual for answer in images] == ["bear 2", "bear 4"]
    assert [answer.query for answer in encounters] == ["q0.jpg", "q1.jpg"]
    for answer, query in zip(images, embeddings, strict=True):
        scores = {
            name: float((state.embeddings(state.rows_of(name)) @ query).max()) for name in state.individuals
        }
        ranked = sorted(scores, key=lambda name: -scores[name])
        assert [one.individual for one in answer.candidates] == ranked[:3]
        assert answer.margin == pytest.approx(scores[ranked[0]] - scores[ranked[1]], abs=1e-6)
        first, code = answer.candidates[0], state.code(ranked[0])
        assert first.probability == pytest.approx(0.2 + 0.7 * scores[ranked[0]], abs=1e-5)
        assert (first.images, first.encounters) == (state.sizes[code], state.encounters[code])
        assert first.last_seen == str(state.last_seen[code].astype("datetime64[s]"))
        total = answer.new_probability + sum(one.probability for one in answer.candidates)
        assert total == pytest.approx(1)


def test_probabilities_by_hand() -> None:
    # knots (0, 0.2), (1, 0.9): p(0.8) = 0.76, p(0.4) = 0.48, p(0.2) = 0.34; the rest 0.24 goes by odds
    odds = np.array([0.48 / 0.52, 0.34 / 0.66, 1.0])
    found = RULE.probabilities(np.array([[0.8, 0.4, 0.2]], np.float32))[0]
    np.testing.assert_allclose(found, [0.76, *(0.24 * odds / odds.sum())], atol=1e-6)
    alone = RULE.probabilities(np.array([[0.8, -np.inf, -np.inf]], np.float32))[0]
    np.testing.assert_allclose(alone, [0.76, 0, 0, 0.24], atol=1e-6)
    assert RULE.cut() == pytest.approx(3 / 7, abs=1e-4)
    assert replace(RULE, same_from=0.3).cut() == 0.3


@pytest.mark.parametrize(
    ("cosine", "verdict"), [(0.95, "known"), (0.81, "known"), (0.79, "undecided"), (0.51, "undecided")]
)
def test_the_two_thresholds_decide(tmp_path: Path, cosine: float, verdict: str) -> None:
    gallery = made(tmp_path / "g", rows=1)
    query = near(gallery, gallery.state.individuals[0], cosine, 3)[np.newaxis]
    (answer,), _ = identify(Search(gallery.state), queries(1), query)
    assert answer.verdict == verdict
    assert (answer.individual is not None) == (verdict == "known")
    query = near(gallery, gallery.state.individuals[0], 0.3, 3)[np.newaxis]  # p = 0.41: more likely new
    (answer,), _ = identify(Search(gallery.state), queries(1), query)
    assert (answer.verdict, answer.margin) == ("new", None)
    query = near(gallery, gallery.state.individuals[0], 0.49, 3)[
        np.newaxis
    ]  # below the threshold, yet p = 0.54
    (answer,), _ = identify(Search(gallery.state), queries(1), query)
    assert (answer.verdict, answer.individual) == ("undecided", None)
    assert answer.reason == "its score is low, but a known animal is more likely than a new one"


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_verdict_never_contradicts_its_probability(data: st.DataObject) -> None:
    """Whatever thresholds and calibration a gallery has, and whatever scores come."""
    share = st.floats(0, 1)
    threshold = data.draw(st.floats(-1, 1))
    places = st.integers(-1000, 1000).map(lambda n: n / 1000)
    knots = tuple(sorted(data.draw(st.lists(places, min_size=2, max_size=5, unique=True))))
    chances = tuple(sorted(data.draw(st.lists(share, min_size=len(knots), max_size=len(knots)))))
    decision = replace(RULE.decision, threshold=threshold, scores=knots, probabilities=chances)
    rule = replace(RULE, decision=decision, new_below=min(threshold, data.draw(st.floats(-1, 1))))
    scores = np.sort(data.draw(arrays(np.float32, (1, 4), elements=st.floats(-1, 1, width=32))))[:, ::-1]
    (found,) = rule.probabilities(scores)
    verdict, reason = rule.verdict(float(scores[0, 0]), found)
    if verdict == "known":
        assert found[0] >= 0.5 >= found[1:].max()
        assert float(scores[0, 0]) >= threshold
    elif verdict == "new":
        assert found[-1] == found.max()
        assert float(scores[0, 0]) < threshold
    else:
        assert reason


def test_scores_that_tell_nothing_give_no_probability_and_no_name(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g")
    gallery.calibrate(
        replace(RULE, decision=replace(RULE.decision, method="none", scores=(), probabilities=()))
    )
    query = near(gallery, "bear 2", 0.97, 3)[np.newaxis]
    search = Search(gallery.state)
    (answer,), _ = identify(search, queries(1), query)
    assert answer.verdict == "undecided"
    assert answer.new_probability is None
    assert answer.candidates[0].individual == "bear 2"
    assert answer.candidates[0].probability is None
    assert "no better than chance" in answer.reason
    assert any("nobody is called known or new" in note for note in cautions(gallery.state, [answer]))


def test_photos_of_a_burst_that_are_two_animals_are_answered_apart(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g")
    embeddings = np.stack([near(gallery, "bear 1", 0.99, 3), near(gallery, "bear 5", 0.99, 4), unit(1, 9)[0]])
    rows = queries(4, [7, 7, 7, 8])
    embeddings = np.concatenate([embeddings, unit(1, 10)])
    images, encounters = identify(Search(gallery.state), rows, embeddings)
    assert [len(one.images) for one in encounters] == [1, 1, 1, 1]
    assert [one.individual for one in encounters][:2] == ["bear 1", "bear 5"]
    assert all("different animals" in one.reason for one in (*images[:3], *encounters[:3]))
    assert "different animals" not in images[3].reason
    assert "3 photos are answered apart" in " ".join(cautions(gallery.state, images))


def test_the_images_of_a_burst_vote(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g")
    embeddings = np.stack(
        [
            near(gallery, "bear 1", 0.99, 3),
            near(gallery, "bear 1", 0.98, 4),
            near(gallery, "bear 5", 0.7, 5),  # by itself undecided; known, it would be answered apart
        ]
    )
    _, (one,) = identify(Search(gallery.state), queries(3, [7, 7, 7]), embeddings)
    similarity = Search(gallery.state).similarity(embeddings).mean(axis=0)
    assert one.images == ("q0.jpg", "q1.jpg", "q2.jpg")
    assert one.candidates[0].individual == gallery.state.individuals[int(similarity.argmax())] == "bear 1"
    assert one.candidates[0].score == pytest.approx(similarity.max(), abs=1e-6)
    assert one.date == "2024-06-01T00:00:00"


def test_bursts_are_sequences_of_one_animal() -> None:
    when = pd.Timestamp("2024-06-01")
    rows = pd.DataFrame(
        {
            "id": ["a", "b", "c#1", "c#2", "d", "e", "f"],
            "image": ["a", "b", "c", "c", "d", "e", "f"],
            "sequence": ["s1", "s1", "s2", "s2", "s2", "s3", "s3"],
            "timestamp": [when, when, when, when, when, pd.NaT, pd.NaT],
        }
    )
    found = bursts(rows).tolist()
    assert found[0] == found[1]
    assert len(set(found[1:])) == 6


def test_an_empty_gallery_says_new_and_an_uncalibrated_one_says_so(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=0)
    (answer,), _ = identify(Search(gallery.state), queries(1), unit(1, 3))
    assert (answer.verdict, answer.new_probability, answer.candidates) == ("new", 1.0, ())
    gallery = made(tmp_path / "h")
    gallery.calibrate(None)
    (answer,), _ = identify(Search(gallery.state), queries(1), unit(1, 3))
    assert (answer.verdict, answer.new_probability) == ("undecided", None)
    assert "not calibrated" in answer.reason
    assert "not calibrated" in cautions(gallery.state)[0]


def test_a_gallery_twice_as_large_as_the_rule_was_fitted_on_is_named(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g", rows=199)
    assert cautions(gallery.state) == ()
    gallery.calibrate(replace(RULE, decision=replace(RULE.decision, gallery=(3, 100))))
    assert "calibrate" in cautions(gallery.state)[0]


def test_a_photo_that_is_in_the_gallery_is_said_to_be(tmp_path: Path) -> None:
    gallery = made(tmp_path / "g")
    rows = queries(2)
    rows.loc[1, "key"] = gallery.state.rows["key"][5]
    images, _ = identify(Search(gallery.state), rows, unit(2, 3))
    assert [answer.in_gallery for answer in images] == [None, gallery.state.rows["identity"][5]]


@pytest.fixture
def found(tmp_path: Path) -> Identified:
    gallery = made(tmp_path / "g")
    rows, embeddings = queries(4, [0, 0, 1, 2]), unit(4, 3)
    images, encounters = identify(Search(gallery.state), rows, embeddings)
    table = Table.of(pd.DataFrame({"image": [*rows["image"], "bad.jpg"], "identity": None}), tmp_path)
    return Identified(
        (*images, unreadable("bad.jpg", "not an image")), tuple(encounters), ("a note",),
        Search(gallery.state), rows, embeddings, table,
    )  # fmt: skip


def test_rows_in_are_rows_out(found: Identified, tmp_path: Path) -> None:
    found.save_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV
    assert [row["image"] for row in rows] == ["q0.jpg", "q1.jpg", "q2.jpg", "q3.jpg", "bad.jpg"]
    assert rows[0]["burst_verdict"] == rows[1]["burst_verdict"] == found.encounters[0].verdict
    assert (rows[4]["verdict"], rows[4]["reason"], rows[4]["score"]) == ("unreadable", "not an image", "")


def test_the_json_is_as_documented(found: Identified, tmp_path: Path) -> None:
    found.save_json(tmp_path / "out.json")
    said = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (len(said["images"]), len(said["encounters"])) == (5, 3)
    assert said["counts"]["images"]["unreadable"] == 1
    words = DOCS.read_text(encoding="utf-8")

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for item in value.values() for key in keys(item)}
        return {key for item in value for key in keys(item)} if isinstance(value, list) else set()

    assert {key for key in keys(said) if f"`{key}`" not in words} == set()
