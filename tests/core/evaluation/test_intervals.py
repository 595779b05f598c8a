from __future__ import annotations

import numpy as np
import pytest

from wildreid.evaluation.intervals import Bootstrap, bounds


def study(random, individuals):
    """Queries whose chance of being right differs by individual, as does their number."""
    sizes = random.integers(1, 20, individuals)
    whose = np.repeat(np.arange(individuals), sizes)
    values = (random.random(len(whose)) < random.beta(2, 1, individuals)[whose]).astype(float)
    return whose, values


def coverage(seeds, individuals, resamples):
    """How often the interval holds 2/3, the mean of the beta distribution."""
    held = []
    for seed in seeds:
        whose, values = study(np.random.default_rng(seed), individuals)
        low, high = Bootstrap(whose, resamples, 0.95, seed).interval(values)
        held.append(low <= 2 / 3 <= high)
    return np.mean(held)


def test_resamples_individuals_with_all_their_queries():
    whose, values = study(np.random.default_rng(0), 12)
    draws = Bootstrap(whose, 50, 0.95, 3)
    random = np.random.default_rng(3)
    expected = []
    for counts in random.multinomial(12, np.full(12, 1 / 12), size=50):
        drawn = [value for who in range(12) for _ in range(counts[who]) for value in values[whose == who]]
        expected.append(sum(drawn) / len(drawn))
    np.testing.assert_allclose(draws.means(values), expected)
    assert draws.interval(values) == pytest.approx(np.quantile(expected, (0.025, 0.975)))


def test_queries_that_do_not_count_are_left_out():
    whose = np.array([0, 0, 1, 1, 2])
    values = np.array([1.0, np.nan, 0.0, 1.0, np.nan])
    means = Bootstrap(whose, 500, 0.95, 0).means(values)
    assert set(means[np.isfinite(means)].round(9)) <= {
        round((a + b) / (a + 2 * b), 9) for a in range(4) for b in range(4) if 0 < a + b <= 3
    }
    assert np.isnan(means).any()
    assert bounds(np.array([np.nan]), 0.95) is None


def test_pairing_takes_what_two_runs_share_out_of_the_interval():
    random = np.random.default_rng(0)
    whose, values = study(random, 150)
    better = np.where(random.random(len(values)) < 0.05, 1.0, values)
    draws = Bootstrap(whose, 500, 0.95, 0)
    low, high = bounds(draws.means(better) - draws.means(values), 0.95)
    apart = Bootstrap(whose, 500, 0.95, 1)
    far_low, far_high = bounds(apart.means(better) - draws.means(values), 0.95)
    assert 0 < low < high
    assert high - low < (far_high - far_low) / 3


def test_chunks_draw_what_one_draw_would(monkeypatch):
    whose, values = study(np.random.default_rng(0), 40)
    whole = Bootstrap(whose, 100, 0.95, 0).means(values)
    monkeypatch.setattr("wildreid.evaluation.intervals.CHUNK", 40 * 7)
    assert np.array_equal(Bootstrap(whose, 100, 0.95, 0).means(values), whole)


def test_covers_the_truth_as_often_as_it_says():
    assert 0.90 <= coverage(range(150), 100, 300) <= 0.99


@pytest.mark.stress
def test_covers_the_truth_as_often_as_it_says_in_many_simulations():
    assert 0.92 <= coverage(range(1500), 120, 1000) <= 0.98
