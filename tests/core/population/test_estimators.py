from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from wildreid.population.estimators import Errors, Marking, Share, alive, chapman, schnabel, two_samples
from wildreid.population.first_numbers import band_of, chapman_of


def test_chapman() -> None:
    found = chapman(50, 50, 25)
    assert found.value == pytest.approx(99.0385, abs=5e-5)
    assert found.variance == pytest.approx(51 * 51 * 25 * 25 / (26**2 * 27))
    # by hand: unseen 24.04, C = exp(1.96 sqrt(ln(1 + var/unseen^2)))
    spread = math.exp(1.96 * math.sqrt(math.log(1 + found.variance / (found.value - 75) ** 2)))
    assert found.low == pytest.approx(75 + (found.value - 75) / spread, abs=0.01)
    assert found.high == pytest.approx(75 + (found.value - 75) * spread, abs=0.05)
    assert chapman(5, 5, 5).low == chapman(5, 5, 5).high == 5


def naive(histories: np.ndarray) -> tuple[list[int], list[int], list[int]]:
    """Occasion by occasion, with sets."""
    caught, again, marked, known = [], [], [], set()
    for k in range(histories.shape[1]):
        met = {who for who in range(len(histories)) if histories[who, k]}
        caught.append(len(met))
        again.append(len(met & known))
        marked.append(len(known))
        known |= met
    return caught, again, marked


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 999))
def test_marking_as_with_sets(people: int, occasions: int, seed: int) -> None:
    histories = np.random.default_rng(seed).integers(0, 3, (people, occasions))
    found = Marking.of(histories)
    assert (found.caught.tolist(), found.again.tolist(), found.marked.tolist()) == naive(histories > 0)
    assert found.individuals == (histories.any(axis=1)).sum()
    none = found.corrected(0, 0)
    np.testing.assert_allclose(none.again, found.again)
    np.testing.assert_allclose(none.marked, found.marked)


def test_schnabel_with_the_limits_of_a_poisson_number() -> None:
    histories = (np.random.default_rng(4).random((200, 5)) < 0.1).astype(int)
    histories = histories[histories.any(axis=1)]
    caught, again, marked = naive(histories)
    found = schnabel(Marking.of(histories))
    assert found is not None
    exposed = sum(c * m for c, m in zip(caught, marked, strict=True))
    assert found.value == pytest.approx(exposed / (sum(again) + 1))
    # R would be so large, or so small, in 2.5 % of surveys each
    assert poisson.sf(sum(again) - 1, exposed / found.high) == pytest.approx(0.025, abs=1e-6)
    assert poisson.cdf(sum(again), exposed / found.low) == pytest.approx(0.025, abs=1e-6)
    assert schnabel(Marking.of(np.ones((3, 1), int))) is None
    nobody = schnabel(Marking.of(np.array([[1, 0], [0, 1]])))
    assert nobody is not None
    assert nobody.high == math.inf


def test_two_samples_are_the_halves_of_the_occasions() -> None:
    histories = np.array([[1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 2, 0, 0, 1]])
    assert two_samples(histories).tolist() == [[1, 0], [1, 0], [0, 1], [1, 1]]


def test_minimum_number_alive() -> None:
    seen = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]], bool)
    assert alive([2021, 2022, 2022, 2023], seen) == {2021: 1, 2022: 3, 2023: 1}


def test_wilson() -> None:
    found = Share.of(0.1, 100)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0552, 0.1744)
    assert Share.of(0.5, 0).high == 1


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0, 0.4),
    st.floats(0, 0.4),
    st.lists(st.integers(1, 40), min_size=2, max_size=6),
    st.integers(0, 99),
)
def test_the_correction_undoes_the_errors_that_are_expected(
    missed: float, merged: float, caught: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    again, marked, there = [], [], 0.0
    for number in caught:
        marked.append(there)
        again.append(min(number, there) * random.random())
        there += number - again[-1]
    true = Marking(np.array(caught, float), np.array(again), np.array(marked))
    wrong = Marking(true.caught, (1 - missed) * true.again + merged * (true.caught - true.again), true.marked)
    np.testing.assert_allclose(wrong.corrected(missed, merged).again, true.again, atol=1e-9)


def simulated(
    random: np.random.Generator, *, animals: int = 100, p: float = 0.5, missed: float = 0.2
) -> np.ndarray:
    """Two occasions; a share of the animals that were met again are taken for new ones."""
    met = random.random((animals, 2)) < p
    lost = met.all(axis=1) & (random.random(animals) < missed)
    ghosts = np.zeros((int(lost.sum()), 2), bool)
    ghosts[:, 1] = True
    met[lost, 1] = False
    histories = np.concatenate([met, ghosts])
    return histories[histories.any(axis=1)]


@pytest.mark.stress
def test_missed_matches_make_too_many_animals_and_the_band_says_so() -> None:
    """N = 100, p = 0.5, missed matches 0.2: N comes out as 125, and the band holds 100."""
    random = np.random.default_rng(20)
    values, covered = [], 0
    for _ in range(100):
        share = random.binomial(200, 0.2) / 200  # measured on 200 matches
        errors = Errors(Share.of(share, 200), Share(0.0, 0.0, 0.0))
        marking = Marking.of(two_samples(simulated(random)))
        values.append(chapman_of(marking).value)
        low, high = band_of(marking, chapman_of, errors)
        covered += low <= 100 <= high
    assert abs(np.mean(values) - 125) <= 3
    assert covered >= 90


@pytest.mark.stress
def test_without_errors_the_interval_holds_the_truth() -> None:
    random = np.random.default_rng(21)
    found = [chapman_of(Marking.of(two_samples(simulated(random, missed=0)))) for _ in range(400)]
    assert abs(np.mean([one.value for one in found]) - 100) < 2
    assert 0.91 <= np.mean([one.low <= 100 <= one.high for one in found]) <= 0.99
