from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.core.population.test_take import rows, survey

from wildreid.population.estimators import Errors, Share
from wildreid.population.first_numbers import first_numbers
from wildreid.population.page import animals, population_page, row_of
from wildreid.population.survey import Survey

ERRORS = Errors(Share(0.1, 0.05, 0.2), Share(0.05, 0.01, 0.1), "a made run")


def many() -> Survey:
    """Twelve animals on ten days, each met on every other day or so."""
    random = np.random.default_rng(2)
    met = [(who, day) for who in range(12) for day in range(10) if random.random() < 0.3]
    given = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(len(met))],
            "individual": [f"bear {who}" for who, _ in met],
            "station": ["A" if (who + day) % 3 else "B" for who, day in met],
            "timestamp": [pd.Timestamp("2024-05-01 12:00") + pd.Timedelta(days=day) for _, day in met],
        }
    )
    return survey(given, occasion_days=2, station_names=False)


def test_numbers_with_their_bands_and_what_not_to_believe() -> None:
    found = first_numbers(many(), ERRORS)
    naive, chapman, schnabel = found.figures
    for one in (naive, chapman, schnabel):
        assert one.estimate is not None
        assert one.band is not None
        assert one.corrected is not None
        assert one.band[0] <= one.corrected <= one.band[1]
    assert naive.band is not None
    assert naive.band[0] < naive.band[1] < naive.estimate.value  # type: ignore[union-attr]  # ghosts taken out
    assert len(found.discovery) == 5
    assert found.discovery[-1] == naive.estimate.value  # type: ignore[union-attr]
    assert found.alive == {"2024": found.discovery[-1]}
    plain = found.as_dict()
    assert plain["errors"]["missed_matches"] == {"value": 0.1, "low": 0.05, "high": 0.2}
    assert plain["figures"][1]["band"] == [pytest.approx(end) for end in chapman.band or ()]


@pytest.mark.parametrize(
    ("given", "design", "words"),
    [
        (rows(), {"occasion_days": 10}, "There is one occasion"),
        (rows(), {}, "Only 1 encounter was with an animal"),
        (
            rows(method="machine", probability=0.99),
            {"machine": True},
            "100 % of the photos were named by a machine",
        ),
        (rows(), {}, "Nobody measured how often identities are wrong"),
    ],
)
def test_when_not_to_believe_it(given: pd.DataFrame, design: dict[str, object], words: str) -> None:
    found = first_numbers(survey(given, **design), None)  # type: ignore[arg-type]
    assert any(words in one for one in found.cautions)
    assert all(one.band is None for one in found.figures)


def test_identities_that_tell_nothing_give_no_band() -> None:
    found = first_numbers(many(), Errors(Share(0.95, 0.9, 1.0), Share(0.05, 0.0, 0.1)))
    assert all(one.band is None and one.estimate is not None for one in found.figures)
    assert found.discovery_band is None
    assert any("the numbers say nothing" in one for one in found.cautions)


def test_one_occasion_gives_a_count_and_no_estimate() -> None:
    found = first_numbers(survey(occasion_days=10), ERRORS)
    assert [one.estimate is None for one in found.figures] == [False, True, True]
    assert row_of(found.figures[1])[1:3] == ["–", "there is one occasion, so no animal can be seen again"]


def test_seasons() -> None:
    assert first_numbers(many(), None, season="month").alive == {"2024-05": 12}
    assert list(first_numbers(many(), None, season="quarter").alive) == ["2024 Q2"]


def test_the_page_holds_it_all_and_no_place() -> None:
    made = many()
    page = population_page(made, first_numbers(made, ERRORS), stamp="sample")
    for words in (
        "bear 11",
        "Chapman",
        "When not to believe it",
        "a made run",
        ">sample<",
        "fewest, with wrong",
    ):
        assert words in page
    assert page.count('class="timeline"') == 12
    for station in made.stations.index:
        assert station in page
    for told in (">A<", ">B<", "<b>Private."):
        assert told not in page
    private = survey(private=True, frame=None)
    page = population_page(private, first_numbers(private, None))
    assert "<b>Private.</b>" in page
    assert ">A<" in page
    assert "Nobody measured how often identities are wrong" in page


def test_numbers_in_words() -> None:
    assert [animals(one) for one in (3.0, 99.04, float("inf"), None)] == ["3", "99.0", "no limit", "–"]
