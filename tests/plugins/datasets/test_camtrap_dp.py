"""Camtrap DP: which observation speaks of which photo."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from tests.core.data.filmed import film
from tests.plugins.datasets.forms import DEPLOYMENT, camtrap, event, medium, photo, seen

from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognise
from wildreid_plugins.datasets import CamtrapDP


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(1, 7):
        photo(tmp_path / f"media/{number}.jpg")
    return tmp_path


def test_a_row_of_a_photo_says_who_where_and_who_decided(root: Path) -> None:
    told = {
        "individualID": "NA1", "scientificName": "Ursus arctos", "sex": "female", "lifeStage": "adult",
        "bboxX": 0.25, "bboxY": 0.5, "bboxWidth": 0.5, "bboxHeight": 0.25, "classificationMethod": "machine",
        "classificationProbability": 0.75, "classifiedBy": "a model",
        "classificationTimestamp": "2024-06-01T09:00:00Z",
        "observationTags": "rain | viewpoint:left | x:y", "behavior": "foraging", "count": 1,
    }  # fmt: skip
    table = CamtrapDP(root=camtrap(root, [medium(1)], [seen(1, **told)])).table()
    row = table.rows.iloc[0]
    expected = {
        "image": "media/1.jpg", "identity": "NA1", "camera": "c7", "station": "pond", "deployment": "d1",
        "event": "d1 e1", "species": "Ursus arctos", "sex": "female", "life_stage": "adult", "media": "m1",
        "latitude": 50.5, "longitude": 4.5, "viewpoint": "left", "method": "machine", "probability": 0.75,
        "decided_by": "a model", "utc_offset": 120, "box_left": 16, "box_top": 24, "box_width": 32,
        "box_height": 12, "private": False, "behavior": "foraging",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["timestamp"] == pd.Timestamp("2024-05-02 10:01")
    assert row["decided_at"] == pd.Timestamp("2024-06-01T09:00Z")


def test_who_classified_a_species_has_not_said_who_it_is(root: Path) -> None:
    table = CamtrapDP(root=camtrap(root, [medium(1)], [seen(1, classificationMethod="human")])).table()
    assert not {"method", "decided_by"} & set(table.rows)
    assert any("nobody is known" in note for note in table.notes)


def test_an_event_speaks_for_its_photos_only_where_none_speaks_itself(root: Path) -> None:
    media = [medium(number) for number in range(1, 7)]
    observations = [
        seen(1, eventID="told"),
        event("told", 1, 2, individualID="Ada"),  # m1 speaks: m2 is spoken of by nobody
        event("whole", 3, 4, individualID="Bo", classifiedBy="Eve"),
        event("pair", 5, 5, individualID="Cy"),
        {**event("pair", 5, 5, individualID="Di"), "observationID": "pair 2"},
    ]
    table = CamtrapDP(root=camtrap(root, media, observations)).table()
    found = dict(zip(table["media"], table["identity"], strict=True))
    assert found == {"m1": "Ada", "m3": "Bo", "m4": "Bo"}  # m1 takes the name of its event's one animal
    assert table["decided_by"].tolist() == [pd.NA, "Eve", "Eve"]
    assert table["event"].tolist() == ["d1 told", "d1 whole", "d1 whole"]
    assert [(one.key, one.reason) for one in table.failures] == [
        ("m5", "2 individuals on one photo without boxes")
    ]
    assert table.origin is not None
    assert table.origin.counted["rows of whole events"] == 4
    assert table.origin.counted["photos that no observation speaks of"] == 2


def test_photos_without_an_event_are_of_the_one_in_whose_time_they_were_taken(root: Path) -> None:
    observations = [seen(1, eventID=""), seen(5, eventID=""), event("late", 4, 6, count=2)]
    table = CamtrapDP(root=camtrap(root, [medium(1), medium(5)], observations)).table()
    assert table["event"].tolist() == [pd.NA, "d1 late"]
    assert table["identity"].isna().all()


def test_an_events_individual_is_given_to_no_one_of_two(root: Path) -> None:
    box = {"bboxX": 0, "bboxY": 0, "bboxWidth": 0.5, "bboxHeight": 1}
    two = [seen(1, **box), seen(1, **{**box, "bboxX": 0.5}, observationID="o1b")]
    table = CamtrapDP(root=camtrap(root, [medium(1)], [*two, event("e1", 1, 1, individualID="Ada")])).table()
    assert len(table) == 2
    assert table["identity"].isna().all()


@pytest.mark.parametrize(
    ("others", "private"),
    [([], False), ([seen(1, observationID="h", observationType="human")], True)],
)
def test_a_photo_with_people_is_private(root: Path, others: list, private: bool) -> None:
    table = CamtrapDP(root=camtrap(root, [medium(1)], [seen(1), *others])).table()
    assert table["private"].tolist() == [private]


def test_a_photo_that_is_not_public_is_read_and_private(root: Path) -> None:
    table = CamtrapDP(root=camtrap(root, [medium(1, filePublic="false")], [seen(1)])).table()
    assert table["private"].tolist() == [True]


def test_what_is_no_row_is_counted_or_fails_with_its_reason(root: Path) -> None:
    media = [
        medium(1),
        medium(2, filePath="https://example.org/2/file"),
        medium(3, filePath="media/gone.jpg"),
        medium(4, filePath="../4.jpg"),
        medium(5, fileMediatype="video/mp4"),
        medium(6, mediaID="m1b"),
        medium(6, mediaID="m1b"),
        medium(6, mediaID="unspoken"),
    ]
    observations = [
        seen(1, individualID="Ada", count=3),
        seen(1, observationID="blank", observationType="blank"),
        seen(2),
        seen(7),
        seen(8, observationLevel="film"),
        seen(9, mediaID=""),
        {**seen(1), "observationType": "human"},
    ]
    table = CamtrapDP(root=camtrap(root, media, observations)).table()
    assert Counter(one.kind for one in table.failures) == {
        "not on this machine": 1,
        "there is no such file": 1,
        "a path that a package may not have": 1,
        "a film": 1,
        "the mediaID is there twice": 2,
        "3 individuals on one photo without boxes": 1,
        "there is no such mediaID": 1,
        "observationLevel is neither media nor event": 1,
        "the observation names no photo": 1,
        "the observationID is there twice": 1,
    }
    origin = table.origin
    assert origin is not None
    assert origin.counted == {
        "blank": 1,
        "animals on photos that failed": 1,
        "photos with observations": 1,
        "photos that no observation speaks of": 1,
    }
    assert origin.records == len(media) + len(observations)
    assert origin.records == len(table) + len(table.failures) + sum(origin.counted.values())


def test_files_that_are_elsewhere_are_found_by_name_or_id(root: Path, tmp_path: Path) -> None:
    photo(tmp_path / "files/m1.jpeg")
    photo(tmp_path / "files/deep/RCNX0002.JPG")
    media = [
        medium(1, filePath="https://example.org/1/file", fileName="x.JPG"),
        medium(2, filePath="https://example.org/2/file", fileName="RCNX0002.JPG"),
    ]
    package = camtrap(tmp_path / "package", media, [seen(1), seen(2)])
    table = CamtrapDP(root=package, media=tmp_path / "files").table()
    assert table["image"].tolist() == ["files/m1.jpeg", "files/deep/RCNX0002.JPG"]
    assert table.root == tmp_path


def test_tables_may_lie_in_parts_or_in_the_package_itself(root: Path) -> None:
    camtrap(root, [medium(1)], [seen(1, individualID="Ada")])
    (root / "observations.csv").rename(root / "part1.csv")
    (root / "part2.csv").write_text((root / "part1.csv").read_text().replace("o1", "o2").replace("m1", "m2"))
    package = json.loads((root / "datapackage.json").read_text())
    for resource in package["resources"]:
        if resource["name"] == "observations":
            resource["path"] = ["part1.csv", "part2.csv"]
        elif resource["name"] == "media":
            resource.pop("path")
            resource["data"] = [{**medium(1), "filePublic": True}, {**medium(2), "favorite": None}]
    package["resources"].append({"name": "individuals", "data": [{"individualID": "Ada", "sex": "female"}]})
    (root / "datapackage.json").write_text(json.dumps(package))
    table = CamtrapDP(root=root / "datapackage.json").table()
    assert table["media"].tolist() == ["m1", "m2"]
    assert table["sex"].tolist() == ["female", "female"]


@pytest.mark.parametrize(
    ("version", "word"), [("0.1.6", "1.0 is the oldest"), ("1.0-rc.1", "export it again"), ("1.1", "")]
)
def test_older_versions_are_refused_and_newer_ones_are_said(root: Path, version: str, word: str) -> None:
    camtrap(root, [medium(1)], [seen(1)], version=version)
    if word:
        with pytest.raises(UserError) as caught:
            CamtrapDP(root=root).table()
        assert word in str(caught.value)
    else:
        assert any("newer" in note for note in CamtrapDP(root=root).table().notes)


@pytest.mark.parametrize(
    ("path", "word"), [("../x.csv", "not a file inside"), ("https://x.org/o.csv", "not a file inside")]
)
def test_a_package_reads_no_file_outside_of_it(root: Path, path: str, word: str) -> None:
    camtrap(root, [medium(1)], [seen(1)])
    text = (root / "datapackage.json").read_text()
    (root / "datapackage.json").write_text(text.replace("observations.csv", path))
    with pytest.raises(UserError, match=word):
        CamtrapDP(root=root).table()


def test_clocks_that_were_wrong_are_said(root: Path) -> None:
    deployments = [{**DEPLOYMENT, "timestampIssues": "true"}]
    table = CamtrapDP(root=camtrap(root, [medium(1)], [seen(1)], deployments=deployments)).table()
    assert len(table) == 1
    assert any("clock was wrong" in note for note in table.notes)


def test_what_is_said_of_a_film_is_said_of_its_frames(root: Path) -> None:
    film(root / "media/5.mp4", frames=30, rate=10)
    (root / "media/6.mp4").write_bytes(b"no film")
    media = [
        medium(1),
        medium(5, filePath="media/5.mp4", fileMediatype="video/mp4"),
        medium(6, filePath="media/6.mp4", fileMediatype="video/mp4"),
    ]
    boxed = {"bboxX": 0.1, "bboxY": 0.1, "bboxWidth": 0.5, "bboxHeight": 0.5}
    seen_on = [seen(number, individualID="Ada") for number in (1, 6)]
    camtrap(root, media, [*seen_on, seen(5, individualID="Bo", **boxed)])
    listed = CamtrapDP(root=root).table()
    assert [one.kind for one in listed.failures] == ["a film", "a film"]
    table = CamtrapDP(root=root, videos="sample", every=1.0, most=2).table()
    assert table["identity"].tolist() == ["Ada", "Bo", "Bo"], table.failures
    assert table["image"].tolist()[1:] == ["media/5.mp4/f000000.jpg", "media/5.mp4/f000020.jpg"]
    taken = table["timestamp"].to_list()
    assert taken[1] == pd.Timestamp("2024-05-02 10:05")
    assert taken[2] - taken[1] == pd.Timedelta(seconds=2)
    assert table.rows.filter(like="box_").isna().all(axis=None)
    assert [one.key for one in table.failures] == ["o6"]
    assert table.origin is not None
    assert table.origin.records == len(table) + len(table.failures) + sum(table.origin.counted.values())


def test_it_is_recognised_and_gives_its_deployments(root: Path) -> None:
    camtrap(root, [medium(1)], [seen(1)])
    found = recognise(root)
    assert found is not None
    assert (found.name, found.what, found.fields) == ("camtrap-dp", "Camtrap DP 1.0.2", {"root": str(root)})
    rows = found.dataset().deployments()
    assert rows is not None
    first = rows.iloc[0].to_dict()
    assert (first["deployment"], first["station"], first["camera"]) == ("d1", "pond", "c7")
    assert first["start"] == "2024-05-01T00:00:00+02:00"


def test_the_official_example_is_read_as_it_is(real_data: Path) -> None:
    table = CamtrapDP(root=real_data / "formats" / "camtrap-dp").table()
    assert table["species"].tolist() == ["Ardea"] * 3
    assert table["event"].tolist() == ["62c200a9 7245a2aa"] * 3
    assert table["timestamp"].dt.strftime("%F %T").tolist() == [
        f"2021-04-11 20:43:{second}" for second in ("09", "10", "15")
    ]
    assert table["utc_offset"].tolist() == [60] * 3
    origin = table.origin
    assert origin is not None
    assert origin.records == 423 + 549
    assert origin.failures == {"not on this machine": 413, "there is no such file": 7}
    assert origin.counted == {
        "animals on photos that failed": 334, "blank": 112, "human": 33, "vehicle": 20, "unknown": 11,
        "rows of whole events": 36, "photos with observations": 3,
    }  # fmt: skip
