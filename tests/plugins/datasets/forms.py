"""Small packages of each form that field people have, made in the tests."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (64, 48)


def photo(path: Path, size: tuple[int, int] = SIZE, orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size, (120, 110, 90))
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif)


def table(path: Path, rows: Sequence[Mapping[str, Any]], head: Sequence[str] = ()) -> None:
    names = [*head, *(name for row in rows for name in row)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(names)))
        writer.writeheader()
        writer.writerows(rows)


DEPLOYMENT = {
    "deploymentID": "d1", "locationID": "pond", "latitude": 50.5, "longitude": 4.5, "cameraID": "c7",
    "deploymentStart": "2024-05-01T00:00:00+02:00", "deploymentEnd": "2024-06-01T00:00:00+02:00",
}  # fmt: skip
MEDIA = ("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype")
OBSERVATION = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel",
    "observationType",
)  # fmt: skip


def medium(number: int, **others: Any) -> dict[str, Any]:
    taken = f"2024-05-02T10:{number:02d}:00+02:00"
    return {"mediaID": f"m{number}", "deploymentID": "d1", "timestamp": taken,
            "filePath": f"media/{number}.jpg", "filePublic": "true", "fileMediatype": "image/jpeg",
            **others}  # fmt: skip


def seen(number: int, **others: Any) -> dict[str, Any]:
    """What somebody saw on a photo."""
    return {"observationID": f"o{number}", "deploymentID": "d1", "mediaID": f"m{number}", "eventID": "e1",
            "observationLevel": "media", "observationType": "animal", **others}  # fmt: skip


def event(name: str, start: int, end: int, **others: Any) -> dict[str, Any]:
    """What somebody saw in an event, in universal time as many exports have it."""
    times = {"eventStart": f"2024-05-02T08:{start:02d}:00Z", "eventEnd": f"2024-05-02T08:{end:02d}:00Z"}
    return {"observationID": name, "deploymentID": "d1", "eventID": name, **times,
            "observationLevel": "event", "observationType": "animal", **others}  # fmt: skip


def camtrap(
    root: Path,
    media: Sequence[Mapping[str, Any]],
    observations: Sequence[Mapping[str, Any]],
    *,
    deployments: Sequence[Mapping[str, Any]] = (DEPLOYMENT,),
    version: str = "1.0.2",
    resources: Sequence[Mapping[str, Any]] = (),
) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    table(root / "deployments.csv", deployments, ["deploymentID"])
    table(root / "media.csv", media, MEDIA)
    table(root / "observations.csv", observations, OBSERVATION)
    named = [{"name": name, "path": f"{name}.csv"} for name in ("deployments", "media", "observations")]
    profile = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{version}/camtrap-dp-profile.json"
    package = {"profile": profile, "resources": [*named, *resources]}
    (root / "datapackage.json").write_text(json.dumps(package))
    return root


Found = dict[str, list[tuple[str, float, tuple[float, float, float, float]]]]
"""Class, confidence and x1, y1, x2, y2 in pixels of the photo that the detector saw, by the photo's path."""
NUMBERS = {"animal": 1, "person": 2, "vehicle": 3}


def detected(dialect: str, found: Found, size: tuple[int, int] = SIZE, **others: Any) -> Any:
    """What a detector writes, in its own form."""
    wide, high = size

    def share(box: tuple[float, float, float, float]) -> list[float]:
        x1, y1, x2, y2 = box
        return [x1 / wide, y1 / high, (x2 - x1) / wide, (y2 - y1) / high]

    shift = 0 if dialect == "lila" else 1  # elsewhere 0 is an animal
    numbers = {name: str(number - shift) for name, number in NUMBERS.items()}
    names = {number: name for name, number in numbers.items()}
    if dialect in ("lila", "pw-timelapse"):
        images = [
            {"file": file, "detections": [
                {"category": numbers[kind], "conf": sure, "bbox": share(box)} for kind, sure, box in boxes
            ]}
            for file, boxes in found.items()
        ]  # fmt: skip
        info = {"format_version": "1.6"} if dialect == "lila" else {"detector": "x"}
        return {"info": info, "detection_categories": names, "images": images, **others}
    if dialect == "microsoft":
        return [
            {"file": file, "detections": [
                {"category": kind, "confidence": sure, "bbox": list(box)} for kind, sure, box in boxes
            ]}
            for file, boxes in found.items()
        ]  # fmt: skip
    before = "det_" if dialect == "pw-classified" else ""
    entries = [
        {
            "img_id": file,
            "bbox": [list(box) for _, _, box in boxes],
            f"{before}category": [int(numbers[kind]) for kind, _, _ in boxes],
            f"{before}confidence": [sure for _, sure, _ in boxes],
        }
        for file, boxes in found.items()
    ]
    return {"annotations": entries, f"{before}categories": names, **others}


def coco(images: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ["empty", "bear", "human"]
    categories = [{"id": number, "name": name} for number, name in enumerate(names)]
    return {"info": {"version": "1"}, "images": images, "annotations": annotations, "categories": categories}


WI_DEPLOYMENT = {
    "project_id": "7", "deployment_id": "d1", "placename": "pond", "latitude": 50.5, "longitude": 4.5,
    "start_date": "2024-05-01 00:00:00", "end_date": "2024-06-01 00:00:00", "camera_id": "c7",
}  # fmt: skip


def wi_image(number: int, **others: Any) -> dict[str, Any]:
    return {"project_id": "7", "deployment_id": "d1", "image_id": f"i{number}", "filename": f"{number}.jpg",
            "location": f"gs://bucket/d1/{number}.jpg", "is_blank": "0", "identified_by": "Ada",
            "wi_taxon_id": "t", "genus": "Ursus", "species": "arctos", "common_name": "Brown Bear",
            "timestamp": f"2024-05-02 10:{number:02d}:00", "age": "Adult", "sex": "Unknown",
            "individual_id": "", **others}  # fmt: skip


def wildlife_insights(root: Path, images: Sequence[Mapping[str, Any]], **tables: Any) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    table(root / "images_7.csv", images, ["deployment_id", "image_id", "filename", "location", "timestamp",
                                         "is_blank", "wi_taxon_id"])  # fmt: skip
    table(root / "deployments.csv", [WI_DEPLOYMENT])
    for name, rows in tables.items():
        table(root / f"{name}.csv", rows)
    return root
