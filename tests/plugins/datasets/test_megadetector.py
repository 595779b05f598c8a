"""Detectors' files: five forms, one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.data.filmed import film
from tests.plugins.datasets.forms import SIZE, detected, photo, table

from wildreid.data.images import read
from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognise
from wildreid_plugins.datasets import MegaDetector
from wildreid_plugins.datasets.megadetector_dialects import DIALECTS, dialect_of

FOUND = {
    "a/1.jpg": [("animal", 0.9, (16.0, 12.0, 48.0, 36.0)), ("animal", 0.15, (0.0, 0.0, 9.0, 9.0))],
    "a/2.jpg": [("animal", 0.8, (1.5, 2.0, 20.0, 30.0)), ("person", 0.12, (40.0, 0.0, 60.0, 40.0))],
    "b/3.jpg": [("animal", 0.7, (4.0, 4.0, 8.0, 8.0)), ("animal", 0.6, (30.0, 4.0, 50.0, 20.0))],
    "b/4.jpg": [],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FOUND:
        photo(tmp_path / name)
    return tmp_path


def write(root: Path, content: Any) -> Path:
    (root / "megadetector.json").write_text(json.dumps(content))
    return root


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_forms_say_the_same(root: Path, dialect: str) -> None:
    content = detected(dialect, FOUND)
    assert dialect_of(content).name == dialect
    found = MegaDetector(root=write(root, content)).table()
    assert found["image"].tolist() == ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/3.jpg"]
    boxes = found.rows[["box_left", "box_top", "box_width", "box_height"]].to_numpy(float)
    np.testing.assert_allclose(
        boxes, [[16, 12, 32, 24], [1.5, 2, 18.5, 28], [4, 4, 4, 4], [30, 4, 20, 16]], atol=1e-9
    )
    assert found["detector_confidence"].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert found["private"].tolist() == [False, True, False, False]
    assert found.origin is not None
    assert found.origin.counted == {
        "person": 1, "detections below 0.2": 1, "photos in which nothing was found": 1,
    }  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_photo_stored_on_its_side_gives_the_same_crop(tmp_path: Path, dialect: str) -> None:
    """Boxes are of the frame that the detector saw: upright for MegaDetector, as stored for the others."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    upright = Image.fromarray(pixels)
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned a quarter clockwise; so it is stored a quarter anticlockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "side.png", exif=exif)
    x1, y1, x2, y2 = 10.0, 5.0, 30.0, 40.0
    size, box = SIZE, (x1, y1, x2, y2)
    if DIALECTS[dialect].stored:
        size, box = (SIZE[1], SIZE[0]), (y1, SIZE[0] - x2, y2, SIZE[0] - x1)
    write(tmp_path, detected(dialect, {"side.png": [("animal", 0.9, box)]}, size))
    row = MegaDetector(root=tmp_path, exif=False).table().rows.iloc[0]
    found = read(tmp_path / "side.png", box=(row.box_left, row.box_top, row.box_width, row.box_height))
    np.testing.assert_array_equal(found, read(tmp_path / "upright.png", box=(x1, y1, x2 - x1, y2 - y1)))


def test_who_is_on_a_photo_comes_from_its_folder_where_it_shows_one_animal(root: Path) -> None:
    found = MegaDetector(root=write(root, detected("lila", FOUND)), identity="folder").table()
    assert found["identity"].tolist()[:2] == ["a", "a"]
    assert found["identity"].isna().tolist() == [False, False, True, True]
    assert found["method"].tolist()[:2] == ["import", "import"]
    assert any(note.startswith("2 animals share a photo") for note in found.notes)


def test_who_is_on_a_photo_comes_from_a_table(root: Path) -> None:
    names = [{"image": "a\\1.jpg", "identity": "007"}, {"image": "a/9.jpg", "identity": "Bo"}]
    table(root / "who.csv", names)
    found = MegaDetector(root=write(root, detected("lila", FOUND)), names="who.csv").table()
    assert found["identity"].tolist() == ["007", *[found["identity"][1]] * 3]
    assert found["identity"].isna().sum() == 3
    table(root / "who.csv", [*names, {"image": "a/1.jpg", "identity": "Cy"}])
    with pytest.raises(UserError, match="two individuals"):
        MegaDetector(root=root, names="who.csv").table()


def test_classes_are_kept_by_name_and_species_from_where_they_are_sure(root: Path) -> None:
    content = detected("lila", {"a/1.jpg": [("animal", 0.9, (1, 1, 9, 9)), ("vehicle", 0.9, (20, 1, 30, 9))]})
    content["classification_categories"] = {"4": "lynx", "5": "fox"}
    boxes = content["images"][0]["detections"]
    boxes[0]["classifications"] = [["4", 0.6], ["5", 0.3]]
    boxes[1]["classifications"] = [["5", 0.4]]
    found = MegaDetector(root=write(root, content), keep=["vehicle", "animal"]).table()
    assert found["species"].tolist() == ["lynx", pd.NA]
    assert MegaDetector(root=root, species_confidence=0.7).table().rows.get("species") is None


@pytest.mark.parametrize(
    ("guesses", "species"),
    [([1, 0], ["fox", "lynx"]), ([1, 0, 1], ["fox", "fox"]), ([0], [None, None]), ([], [None, None])],
)
def test_a_classifiers_list_is_of_the_animals_or_of_all_or_of_nobody(
    root: Path, guesses: list[int], species: list[str | None]
) -> None:
    boxes = [("animal", 0.9, (2, 2, 9, 9)), ("person", 0.9, (20, 2, 30, 9)), ("animal", 0.9, (40, 2, 50, 9))]
    content = detected("pw-classified", {"a/1.jpg": boxes}, clf_categories={"0": "lynx", "1": "fox"})
    content["annotations"][0] |= {"clf_category": guesses, "clf_confidence": [0.9] * len(guesses)}
    found = MegaDetector(root=write(root, content)).table().rows
    assert len(found) == 2
    told = found["species"].tolist() if "species" in found else [None, None]
    assert told == species


def test_records_that_are_wrong_fail_alone(root: Path) -> None:
    content = detected("lila", {"a/1.jpg": [("animal", 0.9, (1, 1, 9, 9))]})
    good = content["images"][0]["detections"][0]
    content["images"] += [
        {"file": "a/2.jpg", "failure": "Failure image access", "detections": None},
        {"file": "gone.jpg", "detections": [good]},
        {"file": "film.mp4", "detections": [{**good, "frame_number": 3}], "frame_rate": 20},
        {"file": "b/3.jpg", "detections": [
            {**good, "category": "9"}, {**good, "conf": "high"}, {**good, "bbox": [0.1, 0.1]},
            {**good, "bbox": [0.5, 0.5, 0.9, 0.1]}, {**good, "bbox": [0.5, 0.5, 0, 0.1]}, "x",
        ]},
        {"detections": [good]},
        "x",
    ]  # fmt: skip
    found = MegaDetector(root=write(root, content)).table()
    assert found["image"].tolist() == ["a/1.jpg"]
    assert [(one.image, one.kind) for one in sorted(found.failures, key=lambda one: one.row or 0)] == [
        ("a/2.jpg", "the detector failed"),
        ("gone.jpg", "there is no such file"),
        ("film.mp4", "a film"),
        ("b/3.jpg", "a class without a name"),
        ("b/3.jpg", "the confidence is no number"),
        ("b/3.jpg", "the box is not four numbers"),
        ("b/3.jpg", "the box leaves the photo"),
        ("b/3.jpg", "the box has no area"),
        ("b/3.jpg", "a class without a name"),
        ("", "no file is named"),
        ("", "no file is named"),
    ]
    assert found.failures[0].key is not None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (detected("microsoft", {"a/1.jpg": [("animal", 0.9, (0.1, 0.1, 0.5, 0.5))]}), "all are below 1"),
        (detected("lila", {"a/1.jpg": [("animal", 0.9, (1, 1, 90, 9))]}, (1, 1)), "shares of the photo"),
        ({"images": [], "annotations": [], "categories": []}, "COCO Camera Traps"),
        ({"annotations": [{"image_id": 1}]}, "without 'img_id'"),
        ([1, 2], "not of objects with 'file'"),
        ({"x": 1}, "no 'images'"),
        ("x", "no object"),
    ],
)
def test_what_is_none_of_the_forms_says_what_contradicts_each(root: Path, content: Any, word: str) -> None:
    with pytest.raises(UserError) as caught:
        MegaDetector(root=write(root, content)).table()
    assert word in str(caught.value)
    assert caught.value.where.endswith("megadetector.json")


def test_paths_of_another_machine_are_found_below_the_root(root: Path) -> None:
    found = {f"/mnt/card/{name}": boxes for name, boxes in FOUND.items()}
    assert len(MegaDetector(root=write(root, detected("lila", found))).table()) == 4
    found = {f"C:\\card\\{name}": boxes for name, boxes in FOUND.items()}
    write(root, detected("lila", found))
    assert len(MegaDetector(root=root, strip_prefix="C:\\card\\").table()) == 4


def test_the_detectors_own_advice_is_told_and_not_followed(root: Path) -> None:
    content = detected("lila", FOUND)
    content["info"]["detector_metadata"] = {"typical_detection_threshold": 0.85}
    found = MegaDetector(root=write(root, content)).table()
    assert len(found) == 4
    assert any("advises a threshold of 0.85" in note for note in found.notes)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_is_recognised_by_its_structure(root: Path, dialect: str) -> None:
    write(root, detected(dialect, FOUND))
    found = recognise(root / "megadetector.json")
    assert found is not None
    assert (found.name, found.fields["identity"]) == ("megadetector", "folder")
    assert dialect in found.what
    assert found.table()["image"].nunique() == 3


FORMS = ("lila", "microsoft-list", "pytorchwildlife", "pytorchwildlife-timelapse")


def test_four_forms_of_three_herons_give_the_boxes_that_were_drawn(real_data: Path) -> None:
    forms = real_data / "formats"
    drawn = json.loads((forms / "megadetector" / "expected-boxes.json").read_text())
    expected = drawn["box_left,box_top,box_width,box_height"]
    crops = []
    for form in FORMS:
        file = forms / "megadetector" / f"{form}.json"
        found = MegaDetector(root=forms / "camtrap-dp", file=str(file)).table()
        assert found["image"].tolist() == list(expected)
        boxes = found.rows[["box_left", "box_top", "box_width", "box_height"]].to_numpy(float)
        np.testing.assert_allclose(boxes, list(expected.values()), atol=1)
        crops.append(
            [read(found.root / image, box=tuple(box)) for image, box in zip(expected, boxes, strict=True)]
        )
    for other in crops[1:]:
        for one, same in zip(crops[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


def test_a_list_with_boxes_below_one_is_refused(real_data: Path) -> None:
    forms = real_data / "formats"
    file = forms / "megadetector" / "ambiguous-list-relative.json"
    with pytest.raises(UserError, match="in pixels, but all are below 1"):
        MegaDetector(root=forms / "camtrap-dp", file=str(file)).table()


def test_the_frames_of_films_that_have_boxes_are_taken(tmp_path: Path) -> None:
    film(tmp_path / "Bella/20240501_101500.mp4")
    found = [
        {"category": "1", "conf": 0.9, "bbox": [0.5, 0.0, 0.5, 1.0], "frame_number": number}
        for number in (3, 20, 99)
    ]
    low = {"category": "1", "conf": 0.1, "bbox": [0, 0, 1, 1], "frame_number": 25}
    content = {
        "info": {"format_version": "1.6"},
        "detection_categories": {"1": "animal"},
        "images": [
            {"file": "Bella/20240501_101500.mp4", "frame_rate": 10, "frames_processed": [3, 20, 25, 99],
             "detections": [*found, low]},
            {"file": "Bella/gone.mp4", "frame_rate": 10, "frames_processed": [0], "detections": found[:1]},
        ],
    }  # fmt: skip
    (tmp_path / "megadetector.json").write_text(json.dumps(content))
    listed = MegaDetector(root=tmp_path).table()
    assert [failure.kind for failure in listed.failures] == ["a film"] * len(listed.failures)
    read = MegaDetector(root=tmp_path, videos="sample", identity="folder").table()
    assert read["image"].str[-11:].tolist() == ["f000003.jpg", "f000020.jpg"]
    assert read["identity"].tolist() == ["Bella", "Bella"]
    assert read.rows[["box_left", "box_width"]].to_numpy(float).tolist() == [[32, 32], [32, 32]]
    assert read["timestamp"][1] == pd.Timestamp("2024-05-01 10:15:02")
    assert {failure.kind for failure in read.failures} == {"no such frame", "there is no such file"}
    assert read.origin is not None
    assert read.origin.records == len(read) + len(read.failures) + sum(read.origin.counted.values())
