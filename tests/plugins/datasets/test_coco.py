"""COCO Camera Traps, and the training export of Wildbook."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.plugins.datasets.forms import SIZE, coco, photo

from wildreid.errors import UserError
from wildreid.pipeline.recognise import recognise
from wildreid_plugins.datasets import CocoCameraTraps, WbiaCoco

WIDE, HIGH = SIZE
BOXES = ["box_left", "box_top", "box_width", "box_height"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(1, 6):
        photo(tmp_path / f"{number}.jpg")
    return tmp_path


def image(number: int, **others: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "width": WIDE, "height": HIGH, "location": 5,
            "datetime": f"2024-05-01 10:0{number}:00", "seq_id": "s1", "frame_num": number, **others}  # fmt: skip


def annotation(number: int, **others: Any) -> dict[str, Any]:
    return {"id": f"a{number}", "image_id": number, "category_id": 1, **others}


def write(root: Path, content: Any, name: str = "metadata.json") -> Path:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(json.dumps(content))
    return root


def test_a_row_says_where_when_what_and_who(root: Path) -> None:
    made = coco([image(1)], [annotation(1, bbox=[16, 12, 32, 24], individual="Ada", count=1)])
    row = CocoCameraTraps(root=write(root, made)).table().rows.iloc[0]
    expected = {"image": "1.jpg", "identity": "Ada", "camera": "5", "station": "5", "event": "s1",
                "species": "bear", "box_left": 16, "box_height": 24, "media": "1", "method": "import",
                "frame_num": 1, "count": 1}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["timestamp"] == pd.Timestamp("2024-05-01 10:01")


def test_shares_and_pixels_say_the_same(root: Path) -> None:
    pixels = coco([image(1), image(2)], [annotation(1, bbox=[16, 12, 32, 24]), annotation(2)])
    shares = coco([image(1), image(2)], [annotation(1, bbox_relative=[0.25, 0.25, 0.5, 0.5]), annotation(2)])
    one, other = (CocoCameraTraps(root=write(root, made)).table() for made in (pixels, shares))
    np.testing.assert_allclose(one.rows[BOXES].to_numpy(float), other.rows[BOXES].to_numpy(float))
    assert one.rows[BOXES].isna().all(axis=1).tolist() == [False, True]


def test_a_box_of_a_photo_of_another_size_is_none_and_one_of_the_stored_photo_is_turned(root: Path) -> None:
    photo(root / "3.jpg", SIZE, orientation=6)  # upright it is 48 × 64
    made = coco(
        [image(1, width=128, height=96), image(2, width=None, height=None), image(3)],
        [annotation(number, bbox=[16, 12, 32, 24]) for number in (1, 2, 3)],
    )
    table = CocoCameraTraps(root=write(root, made)).table()
    assert table["image"].tolist() == ["2.jpg", "3.jpg"]
    assert table.rows[BOXES].to_numpy(float).tolist() == [[16, 12, 32, 24], [HIGH - 36, 16, 24, 32]]
    assert table.failures[0].reason == "the box is of a photo of another size: 128 × 96, not 64 × 48"


def test_what_is_no_row_is_counted_or_fails(root: Path) -> None:
    box = [1, 1, 9, 9]
    made = coco(
        [image(1), image(2, corrupt=True), image(3), image(4), image(4, id=44), image(4, id=44), "x"],
        [
            annotation(1, bbox=box),
            annotation(1, bbox=[20, 1, 9, 9], category_id=2),
            annotation(2, bbox=box),
            annotation(3, bbox=box, bbox_relative=[0, 0, 1, 1]),
            annotation(3, category_id=0),
            annotation(3, category_id=7),
            annotation(9),
            annotation(44),
            annotation(3, bbox=[1, 1, 9]),
            "x",
        ],
    )
    table = CocoCameraTraps(root=write(root, made)).table()
    assert table["private"].tolist() == [True]
    assert Counter(one.kind for one in table.failures) == {
        "the photo is corrupt": 1,
        "both bbox and bbox_relative are given": 1,
        "there is no such category_id": 1,
        "there is no such image_id, or two": 3,
        "the box has a number missing": 1,
    }
    origin = table.origin
    assert origin is not None
    assert origin.counted == {"human": 1, "empty": 1, "photos without annotation": 2}
    assert origin.records == len(table) + len(table.failures) + sum(origin.counted.values())


def test_a_label_of_a_sequence_has_no_box(root: Path) -> None:
    made = coco([image(1)], [annotation(1, bbox=[1, 1, 9, 9], sequence_level_annotation=True, name="Ada")])
    table = CocoCameraTraps(root=write(root, made)).table()
    assert table["identity"].tolist() == ["Ada"]
    assert table.rows[BOXES].isna().all(axis=None)


def test_who_it_is_stands_under_the_key_that_is_named(root: Path) -> None:
    made = coco([image(1)], [annotation(1, who="Ada", sex="f")])
    table = CocoCameraTraps(root=write(root, made), individual="who").table()
    assert table["identity"].tolist() == ["Ada"]
    assert table["source_sex"].tolist() == ["f"]
    assert any("nobody is known" in note for note in CocoCameraTraps(root=root).table().notes)
    with pytest.raises(UserError, match="no annotation has a key 'whom'"):
        CocoCameraTraps(root=root, individual="whom").table()


def test_files_that_are_none_are_refused(root: Path) -> None:
    with pytest.raises(UserError, match="needs the lists images"):
        CocoCameraTraps(root=write(root, {"images": []})).table()
    write(root, coco([image(1, datetime="4/5/2021 10:00")], [annotation(1)]))
    with pytest.raises(UserError, match="two ways"):
        CocoCameraTraps(root=root).table()
    assert len(CocoCameraTraps(root=root, dates="%m/%d/%Y %H:%M").table()) == 1


def test_both_are_recognised(root: Path) -> None:
    found = recognise(write(root, coco([image(1)], [annotation(1)])) / "metadata.json")
    assert found is not None
    assert (found.name, found.what) == ("coco-camera-traps", "COCO Camera Traps")
    write(root, coco([{"id": 1, "file_name": "1.jpg"}], []), "annotations/instances_train2021.json")
    for path in (root, root / "annotations", root / "annotations/instances_train2021.json"):
        found = recognise(path)
        assert found is not None
        assert (found.name, found.fields) == ("wbia-coco", {"root": str(root)})


def giraffe(number: int, **others: Any) -> dict[str, Any]:
    return annotation(number, bbox=[1, 1, 9, 9], theta=0.0, viewpoint="left", name="Hera",
                      segmentation_bbox=[0, 0, 20, 20], individual_ids=[1, 2], **others)  # fmt: skip


def wildbook(root: Path, **parts: list[dict[str, Any]]) -> Path:
    for part, told in parts.items():
        images = [
            {"id": number, "file_name": f"{number:012}.jpg", "width": WIDE, "height": HIGH,
             "date_captured": "2021-04-11 20:43:09", "gps_lat_captured": "-1.25", "gps_lon_captured": "36.5"}
            for number in (1, 2)
        ]  # fmt: skip
        for one in images:
            photo(root / "images" / part / one["file_name"])
        write(root, coco(images, told), f"annotations/instances_{part}.json")
    return root


def test_wildbooks_parts_names_and_turned_boxes(root: Path) -> None:
    turned = {**giraffe(2, id="t"), "theta": 0.5, "viewpoint": None, "name": "____"}
    table = WbiaCoco(root=wildbook(root, train2021=[giraffe(1), turned], test2021=[giraffe(1)])).table()
    rows = table.rows.set_index("id")
    assert table["part"].tolist() == ["test", "train", "train"]
    assert table["identity"].tolist() == ["Hera", "Hera", pd.NA]
    assert table["viewpoint"].tolist() == ["left", "left", pd.NA]
    assert rows["box_width"].tolist() == [9, 9, 20]
    assert rows["theta"].tolist() == [0, 0, 0.5]
    assert table["latitude"].tolist() == [-1.25] * 3
    assert table["image"][0] == "images/test2021/000000000001.jpg"
    assert any("reid audit" in note for note in table.notes)
    assert table.origin is not None
    assert table.origin.counted == {"photos without annotation": 1}


def test_wildbooks_photos_that_lie_elsewhere_are_found_where_one_part_alone_names_them(root: Path) -> None:
    wildbook(root, train2021=[giraffe(1)], test2021=[giraffe(1), giraffe(2)])
    for part in ("train2021", "test2021"):
        (root / "images" / part).rename(root / f"old {part}")
    photo(root / "media/000000000001.jpg")
    photo(root / "media/000000000002.jpg")
    table = WbiaCoco(root=root, media=root / "media").table()
    assert table["image"].tolist() == ["media/000000000002.jpg"]
    assert {one.kind for one in table.failures} == {"several records name a file so"}


def test_a_folder_without_an_export_says_what_it_should_hold(root: Path) -> None:
    with pytest.raises(UserError, match="instances_train2021"):
        WbiaCoco(root=root).table()


def test_three_herons_are_read_from_both_forms(real_data: Path) -> None:
    forms = real_data / "formats"
    tables = [
        CocoCameraTraps(root=forms / "camtrap-dp", file=str(forms / "coco-camera-traps" / name)).table()
        for name in ("absolute.json", "relative.json")
    ]
    boxes = [table.rows[BOXES].to_numpy(float) for table in tables]
    np.testing.assert_allclose(*boxes, atol=1)
    assert [table["identity"].tolist() for table in tables] == [["heron-1"] * 3] * 2
    assert tables[0].rows.drop(columns=[*BOXES, "id"]).equals(tables[1].rows.drop(columns=[*BOXES, "id"]))
    wildbook = WbiaCoco(root=forms / "wbia-coco", media=forms / "camtrap-dp" / "media").table()
    assert wildbook["identity"].tolist() == ["Hera", "Hera", pd.NA]
