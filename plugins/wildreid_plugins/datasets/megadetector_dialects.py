"""The five forms in which detectors write down what they found, told apart by their structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wildreid.errors import UserError

COCO = "this is COCO Camera Traps, not a detector's output: take the data set coco-camera-traps"


@dataclass(frozen=True)
class Dialect:
    """How a form writes boxes.

    Attributes:
        name: of the form.
        what: who writes it.
        relative: boxes are x, y, width, height as shares of the photo; else x1, y1, x2, y2 in pixels.
        stored: the detector saw the photo as it is stored, not upright.
    """

    name: str
    what: str
    relative: bool
    stored: bool


DIALECTS = {
    one.name: one
    for one in (
        Dialect("lila", "MegaDetector", relative=True, stored=False),
        Dialect("pw-timelapse", "PytorchWildlife, for Timelapse", relative=True, stored=True),
        Dialect("microsoft", "the megadetector command", relative=False, stored=True),
        Dialect("pytorchwildlife", "PytorchWildlife", relative=False, stored=True),
        Dialect("pw-classified", "PytorchWildlife with a classifier", relative=False, stored=True),
    )
}


@dataclass
class Detections:
    """What a file says, a list entry a record: a detection, or a photo without one.

    Attributes:
        dialect: of the file.
        file: the photo's path; None where there is none.
        key: file and number of the detection.
        category: the class by its name; None for a photo without detection.
        confidence: of the detection, NaN where it is no number.
        box: four numbers, NaN where they are none.
        species: what a classifier named, None where it named nothing or was not sure.
        frame: of a film; None for a photo.
        reason: why the record is none; None where it is one.
        threshold: the detector's own advice; None where it gives none.
    """

    dialect: Dialect
    file: list[str | None] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    category: list[str | None] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    box: list[tuple[float, ...]] = field(default_factory=list)
    species: list[str | None] = field(default_factory=list)
    frame: list[int | None] = field(default_factory=list)
    reason: list[str | None] = field(default_factory=list)
    threshold: float | None = None

    def boxes(self) -> NDArray[np.float64]:
        """(records, 4)."""
        return np.array(self.box, np.float64).reshape(-1, 4)

    def photo(self, file: Any, reason: str | None = None, *, key: str) -> None:
        """A photo in which nothing was found, or that failed."""
        self._add(file, key, None, np.nan, _NO_BOX, None, None, reason)

    def detection(
        self, file: Any, key: str, category: Any, confidence: Any, box: Any, species: str | None = None,
        frame: Any = None,
    ) -> None:  # fmt: skip
        """One detection; what is wrong with it is its reason."""
        reason = None
        if category is None:
            reason = "a class without a name"
        elif not _number(confidence):
            reason = f"the confidence is no number: {confidence!r}"
        if not isinstance(box, list) or len(box) != 4 or not all(map(_number, box)):
            reason, box = reason or f"the box is not four numbers: {box!r}", _NO_BOX
        sure = float(confidence) if _number(confidence) else np.nan
        self._add(file, key, category, sure, tuple(box), species, frame, reason)

    def _add(
        self, file: Any, key: str, category: Any, confidence: float, box: tuple[float, ...],
        species: str | None, frame: Any, reason: str | None,
    ) -> None:  # fmt: skip
        if not isinstance(file, str) or not file.strip():
            file, reason = None, "no file is named"
        self.file.append(file)
        self.key.append(key)
        self.category.append(None if category is None else str(category))
        self.confidence.append(confidence)
        self.box.append(box)
        self.species.append(species)
        self.frame.append(frame if isinstance(frame, int) else None)
        self.reason.append(reason)


_NO_BOX = (np.nan,) * 4


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def dialect_of(content: Any) -> Dialect:
    """Which form a file's content is.

    Raises:
        UserError: none of them; says what was tried and what contradicts each.
    """
    if isinstance(content, list):
        if all(isinstance(one, dict) and "file" in one for one in content[:20]):
            return DIALECTS["microsoft"]
        raise UserError(_tried("a list, but not of objects with 'file'", "a list"))
    if not isinstance(content, dict):
        raise UserError(_tried("no list", "no object"))
    images, annotations = content.get("images"), content.get("annotations")
    if isinstance(images, list) and isinstance(annotations, list):
        raise UserError(COCO, cure="dataset: {name: coco-camera-traps, root: …, file: …}")
    if isinstance(images, list):
        info = content.get("info")
        versioned = isinstance(info, dict) and info.get("format_version") is not None
        return DIALECTS["lila" if versioned else "pw-timelapse"]
    if isinstance(annotations, list):
        first = annotations[0] if annotations else {"img_id": ""}
        if isinstance(first, dict) and "img_id" in first:
            classified = "det_category" in first or "det_categories" in content
            return DIALECTS["pw-classified" if classified else "pytorchwildlife"]
        raise UserError(_tried("no list", "no 'images'", "'annotations' without 'img_id'"))
    raise UserError(_tried("no list", "no 'images'", "no 'annotations'"))


def _tried(lists: str, images: str, annotations: str | None = None) -> str:
    return (
        "this is no detector's output that we know: "
        f"microsoft ({lists}), lila and pw-timelapse ({images}), "
        f"pytorchwildlife and pw-classified ({annotations or images})"
    )


def detections(content: Any, *, species_confidence: float) -> Detections:
    """All records of a file.

    Raises:
        UserError: it is none of the forms, or its numbers contradict the form that its structure says.
    """
    found = Detections(dialect_of(content))
    if found.dialect.name in ("lila", "pw-timelapse"):
        _of_images(content, found, species_confidence)
    elif found.dialect.name == "microsoft":
        _of_list(content, found)
    else:
        _of_annotations(content, found, species_confidence)
    _check_numbers(found)
    return found


def _check_numbers(found: Detections) -> None:
    """Structure says what the numbers are; numbers that cannot be that are nobody's guess."""
    boxes = found.boxes()
    boxes = boxes[~np.isnan(boxes).any(axis=1)]
    if not len(boxes):
        return
    if found.dialect.relative and (boxes > 1.01).any():
        raise UserError(
            f"the file is written as {found.dialect.name} writes it, with boxes as shares of the photo, but holds "
            f"{boxes.max():g}",
            cure="export it again; if they are pixels, take the detector's own JSON",
        )
    if not found.dialect.relative and (boxes <= 1).all():
        raise UserError(
            f"the file is written as {found.dialect.name} writes it, with boxes in pixels, but all are below 1",
            cure="export it again; if they are shares of the photo, take the detector's own JSON",
        )


def _of_images(content: Mapping[str, Any], found: Detections, least: float) -> None:
    names = _names(content.get("detection_categories"))
    kinds = _names(content.get("classification_categories"))
    info = content.get("info")
    advice = info.get("detector_metadata") if isinstance(info, dict) else None
    if isinstance(advice, dict) and _number(advice.get("typical_detection_threshold")):
        found.threshold = advice["typical_detection_threshold"]
    for number, image in enumerate(content["images"], start=1):
        if not isinstance(image, dict):
            found.photo(None, key=f"image {number}")
            continue
        file, listed = image.get("file"), image.get("detections")
        failure = image.get("failure")
        if failure is not None or not isinstance(listed, list):
            told = f"the detector failed: {failure or 'no detections are given'}"
            found.photo(file, told, key=str(file))
        elif not listed:
            found.photo(file, key=str(file))
        for place, one in enumerate(listed if failure is None and isinstance(listed, list) else (), start=1):
            one = one if isinstance(one, dict) else {}
            species = _species(one.get("classifications"), kinds, least)
            found.detection(
                file, f"{file} detection {place}", names.get(str(one.get("category"))), one.get("conf"),
                one.get("bbox"), species, one.get("frame_number"),
            )  # fmt: skip


def _species(classified: Any, kinds: Mapping[str, str], least: float) -> str | None:
    if not isinstance(classified, list) or not classified:
        return None
    best = classified[0]
    if not isinstance(best, list) or len(best) != 2 or not _number(best[1]) or best[1] < least:
        return None
    return kinds.get(str(best[0]))


def _of_list(content: list[Any], found: Detections) -> None:
    for number, image in enumerate(content, start=1):
        image = image if isinstance(image, dict) else {}
        file, listed = image.get("file"), image.get("detections")
        if not isinstance(listed, list):
            found.photo(
                file, "the detector failed: no detections are given", key=f"{file or f'image {number}'}"
            )
        elif not listed:
            found.photo(file, key=str(file))
        else:
            for place, one in enumerate(listed, start=1):
                one = one if isinstance(one, dict) else {}
                found.detection(
                    file, f"{file} detection {place}", one.get("category"), one.get("confidence"),
                    one.get("bbox"),
                )  # fmt: skip


def _of_annotations(content: Mapping[str, Any], found: Detections, least: float) -> None:
    classified = found.dialect.name == "pw-classified"
    names = _names(content.get("det_categories" if classified else "categories"))
    kinds = _names(content.get("clf_categories"))
    category, confidence = ("det_category", "det_confidence") if classified else ("category", "confidence")
    for number, image in enumerate(content["annotations"], start=1):
        image = image if isinstance(image, dict) else {}
        file, listed = image.get("img_id"), list(_parallel(image, category, confidence, names))
        if not listed:
            reason = (
                None if isinstance(image.get("bbox"), list) else "the detector failed: no boxes are given"
            )
            found.photo(file, reason, key=f"{file or f'image {number}'}")
        for place, (box, kind, sure, guess, chance) in enumerate(listed, start=1):
            species = kinds.get(str(guess)) if _number(chance) and chance >= least else None
            found.detection(file, f"{file} detection {place}", names.get(str(kind)), sure, box, species)


def _parallel(
    image: Mapping[str, Any], category: str, confidence: str, names: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Lists that go side by side; where one is shorter, nothing is known for the rest.

    A classifier has seen the animals alone: its list is as long as theirs, or as all, or it cannot be told whose
    each entry is.
    """
    boxes = image.get("bbox")
    boxes = boxes if isinstance(boxes, list) else []
    kinds, sure, guesses, chances = (
        column if isinstance(column := image.get(name), list) else []
        for name in (category, confidence, "clf_category", "clf_confidence")
    )
    classified = list(range(len(boxes)))
    if len(guesses) != len(boxes):
        animals = [n for n, kind in enumerate(kinds[: len(boxes)]) if names.get(str(kind)) == "animal"]
        classified = animals if len(guesses) == len(animals) else []
    seen = {detection: place for place, detection in enumerate(classified)}
    for number, box in enumerate(boxes):
        place = seen.get(number, len(guesses))
        yield box, _at(kinds, number), _at(sure, number), _at(guesses, place), _at(chances, place)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _names(categories: Any) -> dict[str, str]:
    """Classes by name, never by number: 0 and 1 are both animals somewhere."""
    return {str(key): str(name) for key, name in categories.items()} if isinstance(categories, dict) else {}
