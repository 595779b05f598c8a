from __future__ import annotations

from pathlib import Path

import pytest
from tests.plugins.exporters.golden_survey import GOLDEN, as_given, decided, detections, in_public

from wildreid.errors import UserError
from wildreid.kinds import Exporter
from wildreid.population.survey import Survey
from wildreid_plugins.exporters.camtrap_dp import CamtrapDP
from wildreid_plugins.exporters.camtrapr import CamtrapR
from wildreid_plugins.exporters.csv import Csv
from wildreid_plugins.exporters.mark import Mark
from wildreid_plugins.exporters.oscr import Oscr
from wildreid_plugins.exporters.secr import Secr
from wildreid_plugins.exporters.wildbook import Wildbook

CAMTRAP_DP = CamtrapDP(
    title="Golden export",
    project="Golden",
    contact="Golden Test",
    sampling="systematicRandom",
    vernacular={"Ursus arctos": "brown bear"},
    created="2024-06-02T00:00:00Z",
)
CASES = [
    (Mark(), as_given, "."),
    (Secr(), as_given, "."),
    (Oscr(), as_given, "."),
    (CamtrapR(), as_given, "."),
    (Csv(), in_public, "csv"),
    (CAMTRAP_DP, in_public, "camtrapdp"),
    (Wildbook(location_id="Demo site"), in_public, "."),
]
FILES = {
    "mark": {"mark.inp"},
    "secr": {"secr_capt.txt", "secr_trap.txt"},
    "oscr": {"oscr_edf.csv", "oscr_tdf1.csv"},
    "camtrapr": {"camtrapr_records.csv", "camtrapr_stations.csv"},
    "csv": {"sightings.csv", "individuals.csv", "effort.csv", "histories.csv"},
    "camtrap-dp": {"datapackage.json", "deployments.csv", "media.csv", "observations.csv", "individuals.csv"},
    "wildbook": {"wildbook_bulk_001.csv"},
}


@pytest.mark.parametrize(("exporter", "survey", "place"), CASES, ids=lambda one: getattr(one, "name", ""))
def test_the_golden_survey_byte_for_byte(
    exporter: Exporter, survey: object, place: str, tmp_path: Path
) -> None:
    written = {path.name: path.read_bytes() for path in exporter.write(survey=survey(), folder=tmp_path)}  # type: ignore[operator]
    assert set(written) == FILES[exporter.name] | {"load.R"}
    for name in FILES[exporter.name]:
        assert written[name] == (GOLDEN / place / name).read_bytes(), name


def shuffled(survey: str) -> Survey:
    rows = (detections() if survey == "given" else decided()).sample(frac=1, random_state=3)
    return as_given(rows) if survey == "given" else in_public(rows)


@pytest.mark.parametrize(("exporter", "survey", "place"), CASES, ids=lambda one: getattr(one, "name", ""))
def test_the_order_of_the_photos_changes_nothing(
    exporter: Exporter, survey: object, place: str, tmp_path: Path
) -> None:
    mixed = shuffled("given" if survey is as_given else "public")
    for path in exporter.write(survey=mixed, folder=tmp_path):
        if path.name != "load.R":
            assert path.read_bytes() == (GOLDEN / place / path.name).read_bytes()


def test_names_with_signs_that_formats_mind_come_back_from_their_codes(tmp_path: Path) -> None:
    names = {"F01": "Björn;#'\"/\\,\nÖ", "M02": "Björn #'/Ö", "F03": "F-03", "M04": "M*/04", "B5": "f-03"}
    survey = as_given(detections().assign(individual=lambda rows: rows["individual"].map(names)))
    codes = dict(zip(survey.individuals["code"], survey.individuals["individual"], strict=True))
    assert sorted(codes.values()) == sorted(names.values())
    assert all(code.replace("-", "").replace(".", "").isalnum() and code.isascii() for code in codes)
    assert len({code.casefold() for code in codes}) == 5
    for exporter in (Mark(), Secr(), Oscr(), CamtrapR()):
        (tmp_path / exporter.name).mkdir()
        text = "".join(
            path.read_text() for path in exporter.write(survey=survey, folder=tmp_path / exporter.name)[:-1]
        )
        assert all(code in text for code in codes)
        assert text.count(";") == (
            6 if exporter.name == "mark" else 0
        )  # one on each line, and one in the head


def test_a_machine_is_named_in_every_file(tmp_path: Path) -> None:
    survey = as_given(decided(), machine=True, min_probability=0.8)
    (tmp_path / "secr").mkdir()
    words = "identities of 1 photos by a machine, at probabilities from 0.87, and of 10 by people"
    assert words in Mark().write(survey=survey, folder=tmp_path)[0].read_text()
    assert f"# {words}\n" in Secr().write(survey=survey, folder=tmp_path / "secr")[0].read_text()
    for exporter in (Oscr(), CamtrapR()):
        (tmp_path / exporter.name).mkdir()
        lines = exporter.write(survey=survey, folder=tmp_path / exporter.name)[0].read_text().splitlines()
        assert lines[0].endswith(",Method")
        assert sorted(line.rpartition(",")[2] for line in lines[1:]) == ["human"] * 10 + ["machine"]
    without = as_given(decided())
    assert list(without.individuals["code"]) == ["F01", "F03", "M02", "M04"]
    assert without.counts["left out"] == {"named by a machine, not by a person": 1}


def test_secr_proximity_and_covariates(tmp_path: Path) -> None:
    survey = as_given()
    capt = Secr(detector="proximity").write(survey=survey, folder=tmp_path)[0].read_text().splitlines()
    assert len(capt) == 11  # M02 was met twice on one occasion at one station
    survey.stations["elevation"] = [10.0, 20.5, 30.0]
    files = Secr(covariates=("elevation",)).write(survey=survey, folder=tmp_path)
    assert files[1].read_text().splitlines()[2] == "A2 1200 300 5 5 2 0 / 20.5"
    assert 'trapcovnames = c("elevation")' in files[2].read_text()
    with pytest.raises(UserError, match="no covariate 'height'"):
        Secr(covariates=("height",)).write(survey=survey, folder=tmp_path)


def test_an_occasion_without_effort_is_dots_for_mark(tmp_path: Path) -> None:
    rows = detections()
    rows = rows[rows["station"].eq("A3")].assign(station="A3")
    survey = as_given(rows)
    assert "/*M02*/ 0001 1;" in Mark().write(survey=survey, folder=tmp_path)[0].read_text()
    effort = survey.effort
    effort.loc[:, 1] = 0
    assert "/*M02*/ .001 1;" in Mark().write(survey=survey, folder=tmp_path)[0].read_text()


def test_effort_for_oscr_stands_behind_its_sign(tmp_path: Path) -> None:
    files = Oscr(effort=True).write(survey=as_given(), folder=tmp_path)
    assert 'trapcov.names = "effort", tdf.sep = "/")' in files[2].read_text()
    file = files[1].read_text().splitlines()
    assert file[0] == "Trap,X,Y,1,2,3,4,/,effort.1,effort.2,effort.3,effort.4"
    assert file[2] == "A2,1200,300,1,1,1,0,/,5,5,2,0"


def test_what_a_form_lacks_is_said(tmp_path: Path) -> None:
    rows = detections().drop(columns=["species"])
    with pytest.raises(UserError, match="needs a species"):
        CamtrapR().write(survey=as_given(rows), folder=tmp_path)
    with pytest.raises(UserError, match="two occasions"):
        CamtrapR().write(survey=as_given(occasion_days=20), folder=tmp_path)
    with pytest.raises(UserError, match="cannot add its cameras"):
        CamtrapR().write(survey=as_given(cameras_independent=True), folder=tmp_path)
    with pytest.raises(UserError, match="needs latitude and longitude"):
        CamtrapDP().write(survey=as_given(), folder=tmp_path)
    with pytest.raises(UserError, match="needs a place"):
        Wildbook().write(survey=in_public(), folder=tmp_path)
    with pytest.raises(UserError, match="genus and species"):
        Wildbook(location_id="x").write(survey=in_public(decided().assign(species="bear")), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_tables_for_a_spreadsheet_hold_no_formulas(tmp_path: Path) -> None:
    rows = detections()
    rows["individual"] = rows["individual"].replace({"B5": "=1+2"})
    files = Csv(spreadsheet=True).write(survey=as_given(rows), folder=tmp_path)
    data = files[0].read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert b"'=1+2" in data
    plain = Csv().write(survey=as_given(rows), folder=tmp_path)[0].read_bytes()
    assert b"'=1+2" not in plain
    assert b"=1+2" in plain


def test_wildbook_divides_files_but_no_sighting(tmp_path: Path) -> None:
    rows = decided().iloc[:1]
    many = []
    for n in range(205):
        two = rows.assign(
            image=f"p{n:03d}.jpg", event=f"e{n // 2:03d}", individual=f"bear {n}", probability=None
        )
        many.append(two)
    import pandas as pd

    survey = in_public(pd.concat(many))
    files = Wildbook(location_id="Demo site", submitter="ada").write(survey=survey, folder=tmp_path)
    parts = [pd.read_csv(path) for path in files if path.suffix == ".csv"]
    assert [len(part) for part in parts] == [200, 5]
    assert not set(parts[0]["Encounter.sightingID"]) & set(parts[1]["Encounter.sightingID"])
    assert set(parts[0]["Encounter.submitterID"]) == {"ada"}
