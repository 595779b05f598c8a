"""What was asked for is what is got, on simulated animals: new encounters of known ones, and unknown ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wildreid.artefacts import Missing
from wildreid.gallery.manifest import Mark
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification.calibration import can_tell, rule_of_gallery
from wildreid.identification.cautions import cautions
from wildreid.identification.search import Search

WIDTH, ENCOUNTERS, FRAMES = 32, 5, 3
MARK = Mark(name="simulated", weights="w", transform="t", width=WIDTH)


def animals(count: int, seed: int, *, encounters: int = ENCOUNTERS) -> tuple[pd.DataFrame, np.ndarray]:
    """An individual is a direction; each encounter moves it, each frame a little more."""
    draw = np.random.default_rng(seed)
    rows, vectors = [], []
    for who in range(count):
        own = draw.standard_normal(WIDTH)
        for day in range(encounters):
            there = own + 1.1 * draw.standard_normal(WIDTH)
            for frame in range(FRAMES):
                date = pd.Timestamp("2024-01-01") + pd.Timedelta(days=10 * who + day, seconds=frame)
                name = f"{seed}-{who}"
                rows.append(
                    {"key": f"{len(rows):016x}{seed:016x}", "image": f"{len(rows)}.jpg", "identity": name,
                     "camera": "gate", "timestamp": date, "visit": f"gate@{date:%Y-%m-%d}"}
                )  # fmt: skip
                vectors.append(there + 0.2 * draw.standard_normal(WIDTH))
    found = np.asarray(vectors, np.float32)
    return pd.DataFrame(rows), found / np.linalg.norm(found, axis=1, keepdims=True)


def interval(hits: np.ndarray, who: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """The middle 99 % of the share when individuals are drawn again."""
    names, at = np.unique(who, return_inverse=True)
    sums, sizes = np.bincount(at, hits), np.bincount(at)
    drawn = np.random.default_rng(seed).integers(0, len(names), (2000, len(names)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.005, 0.995])
    return float(low), float(high)


@pytest.mark.parametrize("asked", [0.05, 0.15])
def test_shares_called_known_and_new_lie_in_the_interval_around_what_was_asked(
    tmp_path: Path, asked: float
) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    rows, vectors = animals(150, 1, encounters=ENCOUNTERS + 1)
    later = rows.groupby("identity")["visit"].rank("dense") > ENCOUNTERS
    gallery.add(rows[~later], vectors[~later], model=MARK)
    rule, notes = rule_of_gallery(gallery.state, false_accepts=asked, false_new=asked)
    assert isinstance(rule, Rule)
    assert notes == ()
    assert rule.decision.gallery == (150, 150 * ENCOUNTERS * FRAMES)
    assert rule.new_below < rule.decision.threshold  # else the upper one would decide for both
    search = Search(gallery.state)
    strange, strangers = animals(150, 2)
    unknown = search.similarity(strangers).max(axis=1)
    known = search.similarity(vectors[later]).max(axis=1)
    low, high = interval(unknown >= rule.decision.threshold, strange["identity"].to_numpy())
    assert low <= asked <= high
    low, high = interval(known < rule.new_below, rows["identity"][later].to_numpy())
    assert low <= asked <= high


def test_images_that_the_model_has_trained_on_ask_only_for_want_of_others(tmp_path: Path) -> None:
    rows, vectors = animals(30, 1)
    for trained, words in ((rows.index < 240, "not trained on"), (rows.index < 440, "optimistic")):
        gallery = Gallery.create(tmp_path / words.replace(" ", "-"), MARK)
        gallery.add(rows.assign(trained=trained), vectors, model=MARK)
        rule, notes = rule_of_gallery(gallery.state, false_accepts=0.05)
        assert words in notes[0]
        assert isinstance(rule, Rule)
        assert words in rule.source
        assert sum(rule.decision.queries) == (210 if words == "not trained on" else 450)


def test_merged_individuals_are_calibrated_as_one(tmp_path: Path) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    rows, vectors = animals(30, 1)
    gallery.add(rows, vectors, model=MARK)
    gallery.merge("1-0", "1-1")
    rule, _ = rule_of_gallery(gallery.state, false_accepts=0.05)
    assert isinstance(rule, Rule)
    assert rule.decision.gallery[0] == 29


def test_too_few_animals_give_a_reason(tmp_path: Path) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    assert isinstance(rule_of_gallery(gallery.state, false_accepts=0.05)[0], Missing)
    rows, vectors = animals(3, 1, encounters=1)
    gallery.add(rows, vectors, model=MARK)
    rule, _ = rule_of_gallery(gallery.state, false_accepts=0.05)
    assert isinstance(rule, Missing)
    assert rule.reason


def test_without_dates_the_rule_says_that_it_flatters(tmp_path: Path) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    rows, vectors = animals(20, 1)
    gallery.add(rows.assign(timestamp=pd.NaT), vectors, model=MARK)
    rule, notes = rule_of_gallery(gallery.state, false_accepts=0.05)
    assert isinstance(rule, Rule)
    assert "without dates" in notes[-1]
    assert "without dates" in rule.source
    gallery.calibrate(rule)
    assert "without dates" in cautions(gallery.state)[0]


@pytest.mark.parametrize(
    ("count", "trained", "enough"), [(30, 0, True), (9, 0, False), (30, 420, False), (30, 300, True)]
)
def test_a_gallery_makes_its_own_rule_of_enough_individuals_that_the_model_has_not_seen(
    tmp_path: Path, count: int, trained: int, enough: bool
) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    rows, vectors = animals(count, 1)
    gallery.add(rows.assign(trained=rows.index < trained), vectors, model=MARK)
    assert can_tell(gallery.state) is enough


def test_answers_say_that_the_rule_was_fitted_on_another_gallery(tmp_path: Path) -> None:
    gallery = Gallery.create(tmp_path / "g", MARK)
    rows, vectors = animals(60, 1)
    first = rows["identity"].isin([f"1-{who}" for who in range(20)])
    gallery.add(rows[first], vectors[first], model=MARK)
    rule, _ = rule_of_gallery(gallery.state, false_accepts=0.05)
    assert isinstance(rule, Rule)
    gallery.calibrate(rule)
    assert cautions(gallery.state) == ()
    for who in range(20):
        own = rows["identity"] == f"1-{who}"
        gallery.remove(f"1-{who}", rows["key"][own].tolist()[: 2 * FRAMES])
    assert "calls known animals new" in cautions(gallery.state)[0]
    gallery.add(rows[~first], vectors[~first], model=MARK)
    assert "takes unknown animals for known ones" in cautions(gallery.state)[0]
