from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wildreid.artefacts import Combined
from wildreid.evaluation.intervals import Bootstrap, bounds, few

SKEW = {"even": 0.0, "skewed": 0.8, "heavily skewed": 1.3}
"""Spread of the logarithm of the number of queries an individual."""


def sizes(random, individuals, skew):
    return np.maximum(1, np.round(random.lognormal(2.0, SKEW[skew], individuals))).astype(int)


def study(random, individuals, skew="skewed"):
    """Queries whose chance of being right differs by individual, as does their number."""
    whose = np.repeat(np.arange(individuals), sizes(random, individuals, skew))
    values = (random.random(len(whose)) < random.beta(2, 1, individuals)[whose]).astype(float)
    return whose, values


def coverage(seeds, individuals, resamples, skew="skewed"):
    """How often the interval holds 2/3, the mean of the beta distribution."""
    held = []
    for seed in seeds:
        whose, values = study(np.random.default_rng(seed), individuals, skew)
        low, high = Bootstrap(whose, resamples, 0.95, seed).interval(values)
        held.append(low <= 2 / 3 <= high)
    return np.mean(held)


def false_alarms(seeds, individuals, resamples, skew="even"):
    """How often two models that are equally good, each better on some individuals, are told apart."""
    told = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        whose = np.repeat(np.arange(individuals), sizes(random, individuals, skew))
        chance = random.beta(2, 1, individuals)
        pair = [
            (random.random(len(whose)) < np.clip(chance + random.normal(0, 0.15, individuals), 0, 1)[whose])
            for _ in range(2)
        ]
        draws = Bootstrap(whose, resamples, 0.95, seed)
        first, second = (draws.means(one.astype(float)) for one in pair)
        low, high = bounds(first - second, 0.95, draws.effective(pair[0].astype(float)))
        told.append(not low <= 0 <= high)
    return np.mean(told)


def test_resamples_individuals_with_all_their_queries():
    whose, values = study(np.random.default_rng(0), 12)
    draws = Bootstrap(whose, 50, 0.95, 3)
    random = np.random.default_rng(3)
    expected = []
    for counts in random.multinomial(12, np.full(12, 1 / 12), size=50):
        drawn = [value for who in range(12) for _ in range(counts[who]) for value in values[whose == who]]
        expected.append(sum(drawn) / len(drawn))
    np.testing.assert_allclose(draws.means(values), expected)
    n = draws.effective(values)
    tail = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    assert tail < 0.025
    assert draws.interval(values) == pytest.approx(np.quantile(expected, (tail, 1 - tail)))


def test_the_effective_number_is_what_equal_individuals_would_be():
    whose = np.repeat(np.arange(4), (6, 6, 6, 6))
    draws = Bootstrap(whose, 10, 0.95, 0)
    assert draws.effective(np.ones(24)) == pytest.approx(4)
    some = np.r_[np.ones(12), np.full(12, np.nan)]
    assert draws.effective(some) == pytest.approx(2)  # those that count
    assert draws.effective(Combined((np.ones(24), some), lambda a, b: a - b)) == pytest.approx(2)
    one_has_most = Bootstrap(np.r_[np.zeros(1000, int), 1, 2, 3], 10, 0.95, 0)
    assert one_has_most.effective(np.ones(1003)) == pytest.approx(1.006, abs=1e-3)


def test_one_individual_has_no_interval_and_many_have_the_percentiles():
    whose = np.zeros(20, dtype=int)
    assert Bootstrap(whose, 50, 0.95, 0).interval(np.arange(20.0)) is None
    means = np.random.default_rng(0).normal(size=5000)
    assert bounds(means, 0.9, 1e9) == pytest.approx(tuple(np.quantile(means, (0.05, 0.95))))
    assert few(1, 1.0) == "1 individual, under 30: no interval"
    assert (
        few(14, 6.2)
        == "14 individuals that say as much as 6 equal ones, under 30: the interval is wide and rough"
    )
    assert few(200, 31.0) == ""


def test_queries_that_do_not_count_are_left_out():
    whose = np.array([0, 0, 1, 1, 2])
    values = np.array([1.0, np.nan, 0.0, 1.0, np.nan])
    means = Bootstrap(whose, 500, 0.95, 0).means(values)
    assert set(means[np.isfinite(means)].round(9)) <= {
        round((a + b) / (a + 2 * b), 9) for a in range(4) for b in range(4) if 0 < a + b <= 3
    }
    assert np.isnan(means).any()
    assert bounds(np.array([np.nan]), 0.95, 9.0) is None


def test_pairing_takes_what_two_runs_share_out_of_the_interval():
    random = np.random.default_rng(0)
    whose, values = study(random, 150)
    better = np.where(random.random(len(values)) < 0.05, 1.0, values)
    draws = Bootstrap(whose, 500, 0.95, 0)
    n = draws.effective(values)
    low, high = bounds(draws.means(better) - draws.means(values), 0.95, n)
    apart = Bootstrap(whose, 500, 0.95, 1)
    far_low, far_high = bounds(apart.means(better) - draws.means(values), 0.95, n)
    assert 0 < low < high
    assert high - low < (far_high - far_low) / 3


def test_chunks_draw_what_one_draw_would(monkeypatch):
    whose, values = study(np.random.default_rng(0), 40)
    whole = Bootstrap(whose, 100, 0.95, 0).means(values)
    monkeypatch.setattr("wildreid.evaluation.intervals.CHUNK", 40 * 7)
    assert np.array_equal(Bootstrap(whose, 100, 0.95, 0).means(values), whole)


@pytest.mark.parametrize("individuals", [8, 100])
def test_covers_the_truth_as_often_as_it_says(individuals):
    assert 0.90 <= coverage(range(150), individuals, 300) <= 0.99


@pytest.mark.stress
@pytest.mark.parametrize("skew", SKEW)
@pytest.mark.parametrize("individuals", [8, 14, 30, 60, 150])
def test_covers_the_truth_as_often_as_it_says_in_many_simulations(individuals, skew):
    assert 0.93 <= coverage(range(2000), individuals, 1000, skew) <= 0.98


@pytest.mark.stress
@pytest.mark.parametrize("individuals", [8, 14, 30])
def test_equal_models_are_told_apart_no_more_often_than_said(individuals):
    assert false_alarms(range(2000), individuals, 1000) <= 0.06
