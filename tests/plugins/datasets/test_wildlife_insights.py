"""An export of Wildlife Insights."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tests.plugins.datasets.forms import photo, wi_image, wildlife_insights

from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognise
from wildreid_plugins.datasets import WildlifeInsights


@pytest.fixture
def media(tmp_path: Path) -> Path:
    for number in range(1, 7):
        photo(tmp_path / f"photos/{number}.jpg")
    return tmp_path / "photos"


def test_a_row_says_where_what_and_who(tmp_path: Path, media: Path) -> None:
    root = wildlife_insights(tmp_path / "export", [wi_image(1, individual_id="NA")])
    row = WildlifeInsights(root=root, media=media).table().rows.iloc[0]
    expected = {"image": "1.jpg", "identity": "NA", "camera": "c7", "station": "pond", "deployment": "d1",
                "species": "Ursus arctos", "life_stage": "adult", "latitude": 50.5, "method": "human",
                "decided_by": "Ada", "media": "i1", "common_name": "Brown Bear"}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert "sex" not in row
    assert row["timestamp"] == pd.Timestamp("2024-05-02 10:01")


def test_blank_people_pairs_and_undated_photos(tmp_path: Path, media: Path) -> None:
    images = [
        wi_image(1, individual_id="Ada"),
        wi_image(1, genus="Homo", species="sapiens", common_name="Human"),
        wi_image(2, individual_id="Ada"),
        wi_image(2, individual_id="Bo"),
        wi_image(3, is_blank="1"),
        wi_image(4, timestamp=""),
        wi_image(9),
    ]
    table = WildlifeInsights(root=wildlife_insights(tmp_path / "export", images), media=media).table()
    assert table["image"].tolist() == ["1.jpg", "4.jpg"]
    assert table["private"].tolist() == [True, False]
    assert table["timestamp"].isna().tolist() == [False, True]
    assert [(one.key, one.kind) for one in table.failures] == [
        ("images_7.csv row 7", "not on this machine"),
        ("images_7.csv row 3", "2 individuals on one photo without boxes"),
        ("images_7.csv row 4", "2 individuals on one photo without boxes"),
    ]
    assert table.origin is not None
    assert table.origin.counted == {"human": 1, "blank": 1}


def test_two_photos_of_one_name_are_never_taken_for_each_other(tmp_path: Path, media: Path) -> None:
    images = [wi_image(1), wi_image(1, image_id="other", location="gs://bucket/d2/1.jpg")]
    table = WildlifeInsights(root=wildlife_insights(tmp_path / "export", images), media=media).table()
    assert len(table) == 0
    assert {one.kind for one in table.failures} == {"several records name a file so"}
    images = [wi_image(1, location=""), wi_image(1, image_id="other", location="")]
    table = WildlifeInsights(root=wildlife_insights(tmp_path / "again", images), media=media).table()
    assert {one.kind for one in table.failures} == {
        "several photos are named so, and nothing tells them apart"
    }


def test_a_sequence_says_what_its_images_do_not(tmp_path: Path, media: Path) -> None:
    silent = dict.fromkeys(["genus", "species", "common_name", "age", "sex", "identified_by"], "")
    images = [wi_image(number, sequence_id=f"s{number % 2}", **silent) for number in (1, 2, 3)]
    label = {"genus": "Ursus", "species": "arctos", "individual_id": "Ada", "identified_by": "Eve"}
    sequences = [{"sequence_id": "s1", **label}, {"sequence_id": "s0"}, {"sequence_id": "s0", **label}]
    root = wildlife_insights(tmp_path / "export", images, sequences=sequences)
    table = WildlifeInsights(root=root, media=media).table()
    assert table["image"].tolist() == ["1.jpg", "3.jpg"]
    assert table["identity"].tolist() == ["Ada", "Ada"]
    assert table["event"].tolist() == ["s1", "s1"]
    assert [one.kind for one in table.failures] == ["the sequence has several labels"]


def test_it_may_be_a_zip_file_and_is_recognised(tmp_path: Path, media: Path) -> None:
    root = wildlife_insights(tmp_path / "export", [wi_image(1)])
    with zipfile.ZipFile(media / "export.zip", "w") as archive:
        for file in root.iterdir():
            archive.write(file, f"wildlife-insights/{file.name}")
    for path in (root, media / "export.zip"):
        found = recognise(path)
        assert found is not None
        assert (found.name, found.fields) == ("wildlife-insights", {"root": str(path)})
    assert WildlifeInsights(root=media / "export.zip").table()["image"].tolist() == ["1.jpg"]
    rows = WildlifeInsights(root=root).deployments()
    assert rows[["deployment", "station", "camera", "start"]].iloc[0].tolist() == [
        "d1", "pond", "c7", "2024-05-01 00:00:00",
    ]  # fmt: skip


def test_a_spreadsheets_dates_are_asked_about(tmp_path: Path, media: Path) -> None:
    root = wildlife_insights(tmp_path / "export", [wi_image(1, timestamp="5/4/2024 10:00")])
    with pytest.raises(UserError, match="two ways"):
        WildlifeInsights(root=root, media=media).table()
    table = WildlifeInsights(root=root, media=media, dates="%m/%d/%Y %H:%M").table()
    assert table["timestamp"][0] == pd.Timestamp("2024-05-04 10:00")


@pytest.mark.parametrize(
    ("name", "column", "word"),
    [("images_7.csv", "timestamp", "no column 'timestamp'"), ("deployments.csv", "placename", "'placename'")],
)
def test_columns_that_must_be_there(tmp_path: Path, media: Path, name: str, column: str, word: str) -> None:
    root = wildlife_insights(tmp_path / "export", [wi_image(1)])
    (root / name).write_text((root / name).read_text().replace(column, "other"))
    with pytest.raises(UserError, match=word):
        WildlifeInsights(root=root, media=media).table()
    (root / name).unlink()
    with pytest.raises(UserError, match=r"the export has no (images|deployments)\.csv"):
        WildlifeInsights(root=root, media=media).table()


def test_the_export_of_three_herons(real_data: Path, tmp_path: Path) -> None:
    forms = real_data / "formats"
    for name in ("RCNX0031", "RCNX0032", "RCNX0040"):
        (file,) = (forms / "camtrap-dp" / "media").glob(f"*{name}.JPG")
        (tmp_path / file.name).write_bytes(file.read_bytes())
    photo(tmp_path / "notime.JPG")
    table = WildlifeInsights(root=forms / "wildlife-insights", media=tmp_path).table()
    assert table["identity"].tolist() == ["heron-1", "heron-1", pd.NA]
    assert table["timestamp"].isna().tolist() == [False, False, True]
    assert [one.reason for one in table.failures] == ["2 individuals on one photo without boxes"] * 2
    assert table.origin is not None
    assert table.origin.counted == {"blank": 1}
