"""Any package of any form: each record is a row, a failure or counted; nothing but a UserError is raised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plugins.datasets import forms

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid_plugins.datasets import CamtrapDP, CocoCameraTraps, MegaDetector, WbiaCoco, WildlifeInsights

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.sampled_from(
    ["", "NA", "Ada", "x|y", "2024-05-02T10:00:00Z", "https://x.org/1.jpg", "-1", "1e400"]
)
NUMBER = st.one_of(st.integers(-2, 70), st.floats(-1, 70), st.sampled_from([None, "x", True, float("nan")]))
BOX = st.one_of(
    st.none(),
    st.lists(NUMBER, max_size=5),
    st.tuples(st.integers(0, 30), st.integers(0, 20), st.integers(1, 30), st.integers(1, 20)).map(list),
)
ANY = st.one_of(st.none(), st.booleans(), NUMBER, WORDS, BOX, st.dictionaries(WORDS, WORDS, max_size=2))


def spoilt(entry: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An entry, or the entry with some of its values changed to anything, or to nothing."""
    changes = st.dictionaries(st.sampled_from(list(entry)), ANY, max_size=2)
    whole = st.just(entry)
    return st.one_of(whole, whole, changes.map(lambda changed: {**entry, **changed}))


def each(make: Callable[[int], dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """One entry, whole or spoilt, for each of the photos 1 to 4; the fourth is not there."""
    return st.tuples(*(spoilt(make(number)) for number in range(1, 5))).map(list)


def some(make: Callable[[int], dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Entries about photos 1 to 5."""
    return st.lists(st.integers(1, 5).flatmap(lambda number: spoilt(make(number))), min_size=1, max_size=6)


def rows_of(read: Callable[[], Table]) -> None:
    """Read, and hold the counts against each other."""
    try:
        table = read()
    except UserError:
        return
    origin = table.origin
    assert origin is not None
    assert origin.rows == len(table)
    assert sum(origin.failures.values()) == len(table.failures)
    assert origin.records == len(table) + len(table.failures) + sum(origin.counted.values())
    assert table["id"].is_unique
    assert all((table.root / image).is_file() for image in table["image"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    for number in range(1, 4):
        for place in ("", "media/", "images/train2021/"):
            forms.photo(folder / f"{place}{number}.jpg", orientation=6 if number == 3 else 1)
    (folder / "media/broken.jpg").write_text("no photo")
    return folder


def sure(number: int) -> dict[str, Any]:
    return forms.seen(
        number, observationID=f"o{number}", individualID="Ada", count=1, bboxX=0.1, bboxY=0.1, bboxWidth=0.5,
        bboxHeight=0.5,
    )  # fmt: skip


def lasting(start: int) -> dict[str, Any]:
    return forms.event(f"e{start}", start, start + 1, individualID="Bo")


@FEW
@given(each(forms.medium), some(sure), some(lasting))
def test_camtrap_dp(root: Path, files: list, seen: list, events: list) -> None:
    forms.camtrap(root, files, [*seen, *events])
    rows_of(lambda: CamtrapDP(root=root).table())


detections = st.tuples(
    st.sampled_from(["animal", "person"]),
    st.one_of(st.floats(0.2, 1), st.floats(0.2, 1), NUMBER),
    st.one_of(st.just([0.1, 0.1, 0.2, 0.3]), st.just([1, 1, 20, 20]), BOX),
)


@FEW
@given(
    st.sampled_from(["lila", "pw-timelapse", "microsoft", "pytorchwildlife", "pw-classified"]),
    st.dictionaries(
        st.sampled_from(["1.jpg", "media/2.jpg", "media/broken.jpg", "/x/3.jpg", "gone.jpg", "a.mp4"]),
        st.lists(detections, max_size=3),
        max_size=4,
    ),
    st.booleans(),
)
def test_megadetector(root: Path, dialect: str, found: dict, share: bool) -> None:
    plain = {file: [(kind, sure, (1, 1, 20, 20)) for kind, sure, _ in boxes] for file, boxes in found.items()}
    content = forms.detected(dialect, plain)  # type: ignore[arg-type]
    listed = content if isinstance(content, list) else content.get("images", content.get("annotations"))
    for entry, boxes in zip(listed, found.values(), strict=True):
        if share and "detections" in entry:
            for one, (_, _, box) in zip(entry["detections"], boxes, strict=True):
                one["bbox"] = box
        elif share:
            entry["bbox"] = [box for _, _, box in boxes]
    (root / "megadetector.json").write_text(json.dumps(content))
    rows_of(lambda: MegaDetector(root=root, identity="folder").table())


image = {"id": 1, "file_name": "1.jpg", "width": 64, "height": 48, "location": 5, "seq_id": "s",
         "datetime": "2024-05-02 10:00:00", "corrupt": False}  # fmt: skip
annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "bbox_relative": None,
              "individual": "Ada", "sequence_level_annotation": False}  # fmt: skip


@FEW
@given(
    each(lambda n: {**image, "id": n, "file_name": f"{n}.jpg"}),
    some(lambda n: {**annotation, "image_id": n, "bbox": [n, 1, 9, 9]}),
    st.lists(ANY, max_size=2),
)
def test_coco_camera_traps(root: Path, files: list, told: list, others: list) -> None:
    (root / "metadata.json").write_text(json.dumps(forms.coco([*files, *others], [*told, *others])))
    rows_of(lambda: CocoCameraTraps(root=root).table())


hera = {**annotation, "name": "Hera", "theta": 0.0, "segmentation_bbox": [0, 0, 20, 20], "viewpoint": "left"}
captured = {**image, "date_captured": "2024-05-02 10:00:00", "gps_lat_captured": "1.5"}


@FEW
@given(
    each(lambda n: {**captured, "id": n, "file_name": f"{n}.jpg"}), some(lambda n: {**hera, "image_id": n})
)
def test_wbia_coco(root: Path, files: list, told: list) -> None:
    (root / "instances_train2021.json").write_text(json.dumps(forms.coco(files, told)))
    rows_of(lambda: WbiaCoco(root=root).table())


@FEW
@given(
    some(lambda n: forms.wi_image(n, individual_id="Ada")), st.sampled_from([None, None, None, "%d.%m.%Y"])
)
def test_wildlife_insights(root: Path, files: list, dates: str | None) -> None:
    forms.wildlife_insights(root / "export", files)
    rows_of(lambda: WildlifeInsights(root=root / "export", media=root / "media", dates=dates).table())
