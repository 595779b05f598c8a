from __future__ import annotations

import random
from pathlib import Path

import pytest

from wildreid.kinds import Exporter
from wildreid.population.survey import Survey
from wildreid.testing import check_option, tiny_survey


class Good(Exporter):
    """The stations."""

    name = "good"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        path = folder / "stations.txt"
        path.write_text(" ".join(survey.stations.index))
        return [path]


class Silent(Good):
    """Writes more than it says."""

    name = "silent"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        (folder / "more.txt").write_text("more")
        return super().write(survey=survey, folder=folder)


class Elsewhere(Good):
    """Says that it wrote what is not its own."""

    name = "elsewhere"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        return [Path(__file__)]


class Nothing(Good):
    """Says nothing."""

    name = "nothing"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        return []


class Chance(Good):
    """Writes something else each time."""

    name = "chance"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        path = folder / "chance.txt"
        path.write_text(str(random.random()))
        return [path]


class Telling(Good):
    """Tells what is its owner's alone."""

    name = "telling"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        path = folder / "telling.csv"
        survey.hidden.to_csv(path)
        return [path]


class Changing(Good):
    """Changes what it was given."""

    name = "changing"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        survey.photos["occasion"] = 0
        return super().write(survey=survey, folder=folder)


def test_one_that_keeps_the_contract() -> None:
    check_option(Good)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (Silent, r"wrote more\.txt and did not say so"),
        (Elsewhere, "wrote outside its folder"),
        (Nothing, "did not return the list of files"),
        (Chance, "wrote other bytes the second time"),
        (Telling, "wrote 'Bear Creek' into telling.csv"),
        (Changing, "changed the survey it was given"),
    ],
)
def test_each_breach_is_said(option: type[Exporter], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_option(option)


def test_the_tiny_survey_is_public_unless_asked() -> None:
    assert "Bear Creek" not in tiny_survey().photos["station"].tolist()
    assert "Bear-Creek" in tiny_survey(private=True).photos["station"].tolist()
