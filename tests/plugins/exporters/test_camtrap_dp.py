from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.plugins.exporters.golden_survey import FRAME, decided, in_public, places

from wildreid.errors import UserError
from wildreid.population.deployments import deployments_of
from wildreid.population.design import Design
from wildreid.population.effort import effort_of
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey
from wildreid.registry import Registry
from wildreid.testing import tiny_survey
from wildreid_plugins.exporters.camtrap_dp import CamtrapDP

TABLES = ("deployments", "media", "observations")


def check_package(folder: Path, schemas: Path) -> list[str]:
    """What frictionless and the official schemas find; nothing is fetched."""
    frictionless = pytest.importorskip("frictionless")
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    pytest.importorskip("referencing.jsonschema")
    package = json.loads((folder / "datapackage.json").read_text())
    profile = json.loads((schemas / "camtrap-dp-profile.json").read_text())
    anything = referencing.Resource.from_contents({}, default_specification=referencing.jsonschema.DRAFT7)
    foreign = referencing.Registry(retrieve=lambda uri: anything)  # a data package's profile, and GeoJSON's
    found = [
        error.message for error in jsonschema.Draft7Validator(profile, registry=foreign).iter_errors(package)
    ]
    package.pop("profile")
    for resource in package["resources"]:
        if resource["name"] in TABLES:
            resource["schema"] = json.loads((schemas / f"{resource['name']}-table-schema.json").read_text())
    copy = folder / "inlined.json"
    copy.write_text(json.dumps(package))
    with frictionless.system.use_context(trusted=True):
        report = frictionless.Package(str(copy)).validate()
    copy.unlink()
    return found + [str(row) for row in report.flatten(["type", "title", "message"])]


@pytest.fixture(scope="module")
def schemas(real_data: Path) -> Path:
    return real_data / "formats" / "camtrap-dp"


def written(survey: Survey, folder: Path, **fields: Any) -> Path:
    CamtrapDP(**fields).write(survey=survey, folder=folder)
    return folder


def test_frictionless_and_the_official_schemas_find_nothing(schemas: Path, tmp_path: Path) -> None:
    for name, survey in (
        ("golden", in_public()),
        ("private", tiny_survey(private=True)),
        ("public", tiny_survey()),
    ):
        (tmp_path / name).mkdir()
        assert check_package(written(survey, tmp_path / name), schemas) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("media.csv", "2024-05-02T21:10:00+02:00", "2024-05-02T21:10:00"),
        ("media.csv", "media/m001.jpg", "/home/ada/m001.jpg"),
        ("observations.csv", "0.25,0.25,0.5,0.5", "0.25,0.25,1.5,0.5"),
        ("observations.csv", "m001_1,A1,m001", "m001_1,A1,m999"),
        ("datapackage.json", '"systematicRandom"', '"by whim"'),
        ("datapackage.json", '"individualAnimals": true,', ""),
    ],
)
def test_the_check_can_fail(file: str, old: str, new: str, schemas: Path, tmp_path: Path) -> None:
    folder = written(in_public(), tmp_path, sampling="systematicRandom")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    assert check_package(folder, schemas)


def test_a_problem_in_the_middle_makes_two_deployments(tmp_path: Path) -> None:
    table = places()
    table.loc[1, ["problem1_from", "problem1_to"]] = [
        "2024-05-08T00:00:00+02:00",
        "2024-05-10T00:00:00+02:00",
    ]
    survey = take_survey(
        decided(), deployments_of(table), Design(station_names=True), name="golden", frame=FRAME
    )
    folder = written(survey, tmp_path)
    found = pd.read_csv(folder / "deployments.csv")
    assert list(found["deploymentID"]) == ["A1", "A2_1", "A2_2", "A3"]
    media = pd.read_csv(folder / "media.csv").set_index("mediaID")["deploymentID"]
    assert (media["m003"], media["m007"]) == ("A2_2", "A2_1")


def test_boxes_need_the_size_of_their_photos_and_times_their_zone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="size of its photo"):
        written(in_public(decided().drop(columns=["image_width"])), tmp_path)
    naive = deployments_of(places().replace(r"\+02:00", "", regex=True))
    survey = take_survey(decided(), naive, Design(station_names=True), frame=FRAME)
    with pytest.raises(UserError, match="nobody knows in which zone"):
        written(survey, tmp_path)
    survey = take_survey(
        decided(), naive, Design(station_names=True, timezone="Europe/Brussels"), name="golden", frame=FRAME
    )
    (tmp_path / "zoned").mkdir()
    folder = written(survey, tmp_path / "zoned")
    assert "2024-05-02T21:10:00+02:00" in (folder / "media.csv").read_text()


def test_summer_time_has_its_own_offset(tmp_path: Path) -> None:
    table = places().replace(r"\+02:00", "", regex=True)
    table["start"] = "2024-03-01"
    rows = decided().iloc[:1].assign(timestamp="2024-03-30T12:00:00")
    both = pd.concat([rows, rows.assign(image="m2.jpg", timestamp="2024-04-01T12:00:00")])
    design = Design(station_names=True, timezone="Europe/Brussels", partial=True)
    folder = written(take_survey(both, deployments_of(table), design, name="golden", frame=FRAME), tmp_path)
    assert list(pd.read_csv(folder / "media.csv")["timestamp"]) == [
        "2024-03-30T12:00:00+01:00",
        "2024-04-01T12:00:00+02:00",
    ]


def test_photos_come_along_without_exif(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    exif = Image.Exif()
    exif[0x010F] = "SECRET MAKER"
    for name in decided()["image"]:
        Image.new("RGB", (64, 48), "#345").save(photos / name, exif=exif)

    def read(image: str) -> np.ndarray:
        return np.asarray(Image.open(photos / image).convert("RGB"))

    rows = decided().assign(private=[True] + [False] * 10)
    survey = take_survey(
        rows, deployments_of(places()), Design(private=True, machine=True, min_probability=0.8), read=read
    )
    (tmp_path / "out").mkdir()
    folder = written(survey, tmp_path / "out", with_photos=True)
    media = pd.read_csv(folder / "media.csv").set_index("fileName")
    assert not media.loc["m001.jpg", "filePublic"]
    assert media["filePublic"].sum() == 10
    assert not (folder / "media" / "m001.jpg").exists()  # its owner shows it to nobody
    assert sorted(path.name for path in (folder / "media").iterdir()) == sorted(rows["image"][1:])
    assert b"SECRET" not in (folder / "media" / "m002.jpg").read_bytes()
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="photos are not there"):
        written(in_public(), tmp_path / "none", with_photos=True)


def test_the_importer_reads_the_same_annotations(tmp_path: Path) -> None:
    known = Registry().options("dataset")
    for name in decided()["image"]:
        (tmp_path / "media").mkdir(exist_ok=True)
        Image.new("RGB", (64, 48)).save(tmp_path / "media" / name)
    rows = decided().assign(box_left=7.3, box_width=31.0 / 3, viewpoint=["left"] + [None] * 10)
    folder = written(in_public(rows), tmp_path)
    table = known["camtrap-dp"](root=folder).table()  # type: ignore[attr-defined]
    assert len(table) == len(rows)
    found = table.rows.assign(file=table["image"].str.rpartition("/")[2]).set_index("file").loc[rows["image"]]
    assert list(found["identity"]) == list(rows["individual"])
    assert list(found["station"]) == list(rows["station"])
    for name in ("species", "method", "decided_by"):
        assert list(found[name]) == list(rows[name])
    assert [text or None for text in found["sex"].fillna("")] == [
        {"F": "female", "M": "male"}.get(sex) for sex in rows["sex"].fillna("")
    ]
    assert list(found["viewpoint"].fillna("")) == ["left", *[""] * 10]
    assert found["event"].nunique() == 11
    assert float(found["probability"].iloc[-1]) == 0.87
    assert list(found["timestamp"]) == list(pd.to_datetime(rows["timestamp"]))
    for name in ("box_left", "box_top", "box_width", "box_height"):
        np.testing.assert_allclose(found[name].astype(float), rows[name], atol=1e-9)


def test_its_deployments_come_back_as_the_same_effort(tmp_path: Path) -> None:
    known = Registry().options("dataset")
    survey = tiny_survey(private=True)
    written(survey, tmp_path)
    back = deployments_of(known["camtrap-dp"](root=tmp_path).deployments())  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(effort_of(back, survey.occasions), survey.effort)
    assert back.attrs["decimals"] == 6
    assert set(back["start_offset"]) == {-420}
