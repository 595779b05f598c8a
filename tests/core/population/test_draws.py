from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.core.population.test_take import FRAME, rows

from wildreid.errors import UserError
from wildreid.kinds import Exporter
from wildreid.population.deployments import deployments_of
from wildreid.population.design import Design
from wildreid.population.draws import drawn, pool, uncertain_of
from wildreid.population.export import export_survey
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey
from wildreid.registry import Registry


def frequencies(given: pd.DataFrame, count: int) -> pd.DataFrame:
    """How often each row of some got each individual."""
    uncertain = uncertain_of(given)
    found = [drawn(given, uncertain, 1, n)["individual"].fillna("nobody") for n in range(count)]
    return pd.concat(found, axis=1).apply(lambda row: row.value_counts(normalize=True), axis=1).fillna(0)


def test_frequencies_are_the_probabilities_where_nothing_binds() -> None:
    given = rows(method=["human", "machine", "machine", "machine"], probability=[None, 0.7, 0.4, 0.6])
    count = 2000
    found = frequencies(given, count)
    assert found.loc[0, "Bella"] == 1
    for row, who, p in ((1, "Bella", 0.7), (2, "Otis", 0.4), (3, "Otis", 0.4)):  # 2 and 3 are one encounter
        assert abs(found.loc[row, who] - p) < 3 * math.sqrt(p * (1 - p) / count)
        assert abs(found.loc[row, "nobody"] - (1 - p)) < 3 * math.sqrt(p * (1 - p) / count)
    both = [drawn(given, uncertain_of(given), 1, n)["individual"] for n in range(50)]
    assert all(pd.isna(one[2]) == pd.isna(one[3]) for one in both)


def test_candidates_of_photos_that_are_not_in_the_gallery() -> None:
    given = rows(method=["human", "human", "machine", "machine"], individual=["Bella", "Bella", None, None])
    given["candidates"] = [None, None, {"Bella": 0.5, "new-1": 0.3}, {"Otis": 1.0}]
    given["encounter"] = [None, None, "7", "8"]
    found = frequencies(given, 1000)
    for who, p in (("Bella", 0.5), ("new-1", 0.3), ("nobody", 0.2)):
        assert abs(found.loc[2, who] - p) < 3 * math.sqrt(p * (1 - p) / 1000)
    assert found.loc[3, "Otis"] == 1
    with pytest.raises(UserError, match=r"add up to 1\.200"):
        uncertain_of(given.assign(candidates=[None, None, {"Bella": 0.7, "Otis": 0.5}, None]))


def test_two_on_one_photo_are_never_one_animal() -> None:
    given = rows(
        image=["1.jpg", "2.jpg", "2.jpg", "1.jpg"], method=["human", "machine", "machine", "machine"]
    )
    given["individual"] = ["Bella", None, None, None]
    given["encounter"] = [None, "a", "b", "c"]
    given["candidates"] = [
        None,
        {"Otis": 0.6, "Bella": 0.4},
        {"Otis": 0.8, "Bella": 0.2},
        {"Bella": 0.9, "Ida": 0.1},
    ]
    uncertain = uncertain_of(given)
    draws = [drawn(given, uncertain, 3, n)["individual"] for n in range(400)]
    assert all(pd.isna(one[1]) or one[1] != one[2] for one in draws)
    assert all(one[3] == "Ida" for one in draws)  # a person says that the other one is Bella
    # of the assignments that are possible, by their probability: Otis, Bella 0.12; Bella, Otis 0.32
    share = np.mean([one[1] == "Otis" for one in draws if not pd.isna(one[1]) and not pd.isna(one[2])])
    assert abs(share - 0.12 / 0.44) < 3 * math.sqrt(0.27 * 0.73 / 400)


def test_a_draw_is_the_same_for_its_seed_and_its_number_alone() -> None:
    given = rows(method="machine", probability=0.5)
    uncertain = uncertain_of(given)
    one = [uncertain.draw(1, n) for n in range(20)]
    assert one == [uncertain.draw(1, n) for n in range(20)]
    assert one != [uncertain.draw(2, n) for n in range(20)]
    assert len({tuple(names) for names in one}) > 1


def test_rubin() -> None:
    found = pool([100, 110, 90], [25, 25, 25])
    assert (found.estimate, found.within, found.between) == (100, 25, 100)
    assert found.variance == pytest.approx(158.333, abs=1e-3)
    assert found.se == pytest.approx(12.583, abs=1e-3)
    assert found.df == pytest.approx(2.820, abs=1e-3)
    assert pool([5, 5], [1, 3]).df == math.inf
    with pytest.raises(UserError, match="at least two"):
        pool([1], [1])


DEPLOYMENTS = deployments_of(
    pd.DataFrame(
        {
            "station": ["A", "B"],
            "start": "2024-05-01",
            "end": "2024-05-11",
            "x": ["0", "100"],
            "y": ["0", "50"],
        }
    )
)


def take(some: pd.DataFrame, design: Design) -> Survey:
    return take_survey(some, DEPLOYMENTS, design, frame=FRAME)


@pytest.mark.parametrize("name", ["csv", "mark", "secr", "oscr", "camtrapr"])
def test_with_all_probabilities_1_a_draw_is_the_plain_export(name: str, tmp_path: Path) -> None:
    given = rows(
        method=["human", "machine", "machine", "machine"],
        probability=1.0,
        species="Ursus arctos",
        utc_offset=60,
    )
    exporter: Any = Registry().choose("exporter", name).model_validate({})
    plain, draws = tmp_path / "plain", tmp_path / "draws"
    export_survey(given, take, Design(machine=True), exporter, plain, facts={})
    done = export_survey(given, take, Design(), exporter, draws, facts={}, draws=3)
    names = sorted(path.name for path in plain.iterdir() if path.name != "export.json")
    for n in (1, 2, 3):
        folder = draws / f"draw_{n:03d}"
        assert sorted(path.name for path in folder.iterdir()) == names
        assert all((folder / one).read_bytes() == (plain / one).read_bytes() for one in names)
    assert (draws / "pool.R").is_file()
    assert "draw_003/names.csv" in done.files


class Failing(Exporter):
    """One that fails half-way."""

    name = "failing"

    def write(self, *, survey: Survey, folder: Path) -> list[Path]:
        (folder / "half.txt").write_text("half")
        raise UserError("it cannot be")


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it cannot be"):
        export_survey(rows(), take, Design(), Failing(), tmp_path / "out", facts={})
    assert list(tmp_path.iterdir()) == []
    exporter: Any = Registry().choose("exporter", "csv").model_validate({})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something already"):
        export_survey(rows(), take, Design(), exporter, tmp_path / "mine", facts={})
    with pytest.raises(UserError, match="one draw says nothing"):
        export_survey(rows(), take, Design(), exporter, tmp_path / "out", facts={}, draws=1)
    with pytest.raises(UserError, match="there is no folder"):
        export_survey(rows(), take, Design(), exporter, tmp_path / "no" / "out", facts={})
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "precious.txt"]


def test_a_second_export_is_the_same_bytes_and_its_record_says_what_was_done(tmp_path: Path) -> None:
    exporter: Any = Registry().choose("exporter", "secr").model_validate({})
    for n in (1, 2):
        export_survey(rows(), take, Design(), exporter, tmp_path / str(n), facts={"digest": "abc"})
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()
    import hashlib
    import json

    record = json.loads((tmp_path / "1" / "export.json").read_text())
    assert record["photos"]["came in"] == 4
    assert record["gallery"] == {"digest": "abc"}
    assert record["filters"]["occasion_days"] == 5
    for name, digest in record["files"].items():
        assert hashlib.sha256((tmp_path / "1" / name).read_bytes()).hexdigest() == digest
