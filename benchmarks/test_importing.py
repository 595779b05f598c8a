"""Reading what other tools have written: 100,000 records of each form, in one process, without opening a photo.

Where a box needs a photo's size, its header is read once and remembered; the figure is of the second reading.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.record import Record
from tests.plugins.datasets import forms

from wildreid.kinds import Dataset
from wildreid.registry import Registry

RECORDS = 100_000
FOLDERS = 100
"""Photos lie in so many folders; photos with boxes hold as many each."""


def camtrap_dp(root: Path) -> Dataset:
    media = [forms.medium(n, timestamp=_when(n), filePath=f"media/{_name(n)}") for n in range(RECORDS)]
    seen = [forms.seen(n, eventID=f"e{n // 5}", individualID=f"a{n % 50}") for n in range(RECORDS)]
    return _data_set("camtrap-dp", root=forms.camtrap(root, media, seen))


def megadetector(root: Path) -> Dataset:
    boxes = [("animal", 0.9, (x % 10, x // 10, x % 10 + 9, x // 10 + 9)) for x in range(FOLDERS)]
    found = {_name(n): boxes for n in range(RECORDS // FOLDERS)}
    (root / "megadetector.json").write_text(json.dumps(forms.detected("lila", found)))  # type: ignore[arg-type]
    return _data_set("megadetector", root=root / "boxed", file=str(root / "megadetector.json"), exif=False)


def coco_camera_traps(root: Path) -> Dataset:
    (root / "metadata.json").write_text(json.dumps(_coco("individual")))
    return _data_set("coco-camera-traps", root=root / "media", file=str(root / "metadata.json"))


def wbia_coco(root: Path) -> Dataset:
    (root / "instances_train2021.json").write_text(json.dumps(_coco("name")))
    return _data_set("wbia-coco", root=root)


def wildlife_insights(root: Path) -> Dataset:
    images = [
        forms.wi_image(
            n, timestamp=_when(n), filename=_name(n), location=f"gs://bucket/{_name(n)}", individual_id=f"a{n % 50}"
        )
        for n in range(RECORDS)
    ]  # fmt: skip
    return _data_set(
        "wildlife-insights", root=forms.wildlife_insights(root / "export", images), media=root / "media"
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 empty files as photos, found as a form needs them, and 1,000 small photos for boxes."""
    root = tmp_path_factory.mktemp("importing")
    for folder in range(FOLDERS):
        (root / f"media/{folder}").mkdir(parents=True)
        (root / f"boxed/{folder}").mkdir(parents=True)
    for number in range(RECORDS):
        os.close(os.open(root / "media" / _name(number), os.O_CREAT))
    for number in range(RECORDS // FOLDERS):
        forms.photo(root / "boxed" / _name(number))
    (root / "images").mkdir()
    (root / "images/train2021").symlink_to(root / "media", target_is_directory=True)
    return root


@pytest.mark.parametrize("form", [camtrap_dp, megadetector, coco_camera_traps, wbia_coco, wildlife_insights])
def test_reading_100_000_records(record: Record, root: Path, form: Callable[[Path], Dataset]) -> None:
    dataset = form(root)
    assert len(dataset.table()) == RECORDS
    record.beside(
        "Reading what other tools have written", {"form": dataset.name, "records": RECORDS},
        {"wildreid": dataset.table}, pairs=3, aims={"seconds": ("<=", RECORDS / 20_000)},
    )  # fmt: skip


def _data_set(name: str, **fields: object) -> Any:
    return Registry().choose("dataset", name).model_validate(fields)


def _name(number: int) -> str:
    return f"{number % FOLDERS}/{number}.jpg"


def _when(number: int) -> str:
    return f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d} {number % 24:02d}:{number % 60:02d}:00"


def _coco(key: str) -> dict[str, object]:
    images = [
        {"id": n, "file_name": _name(n), "location": n % 50, "seq_id": n // 5, "datetime": _when(n),
         "date_captured": _when(n)}
        for n in range(RECORDS)
    ]  # fmt: skip
    told = [{"id": n, "image_id": n, "category_id": 1, key: f"a{n % 50}"} for n in range(RECORDS)]
    return forms.coco(images, told)
