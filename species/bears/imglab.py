"""Reads the XML of dlib's imglab as BearID writes it: images with boxes, and chips cut from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd  # noqa: TID253 (this module is imported where a file is read)

from wildreid.data.table import BOX, Failure
from wildreid.errors import UserError

from .photos import DEEP, parts

HEAD_TOPS = ("htop", "head_top", "top")
"""The three names that BearID's files have for the top of the head; ours is the first."""

POINTS = ("leye", "reye", "nose", "lear", "rear", "htop")

Point = tuple[float, float]


class Annotation(NamedTuple):
    """One bear in one photo or chip, as its file has it.

    Attributes:
        file: the photo's or chip's path, as it was written.
        label: the bear; None where it is not named.
        box: left, top, width and height in the photo; None for a chip.
        points: of the face, by the names in `POINTS`, in pixels of the photo or chip; some may lie outside.
        original: for a chip, the photo that it was cut from.
        taken: the photo's date and time as it was written; None where it was not.
        number: the annotation's place in the file, from 1.
    """

    file: str
    label: str | None
    box: tuple[float, float, float, float] | None
    points: dict[str, Point]
    original: str | None
    taken: str | None
    number: int


def read_annotations(files: Mapping[str, Path]) -> tuple[pd.DataFrame, list[Failure]]:
    """The annotations of several files as rows.

    Args:
        files: XML files by their part; ``all`` means that no part is given.

    Returns:
        Columns image (as the file writes it, its last four folders), identity, timestamp, box, part, source,
        original, row, and ``leye_x``, ``leye_y`` and so on for each of `POINTS`; and what cannot be used.

    Raises:
        UserError: a file that cannot be read, or no annotation that can be used.
    """
    rows, failures = [], []
    for part, file in files.items():
        found, unusable = read_imglab(file)
        failures += unusable
        for one in found:
            named = parts(one.original or one.file)
            rows.append(
                {
                    "image": "/".join(parts(one.file)),
                    "identity": one.label,
                    "taken": one.taken,
                    **dict(zip(BOX, one.box or [None] * len(BOX), strict=True)),
                    "part": None if part == "all" else part,
                    "source": "/".join(named[:2]) if len(named) == DEEP else None,
                    "original": one.original,
                    "row": one.number,
                    **{
                        f"{point}_{axis}": at
                        for point in POINTS
                        for axis, at in zip("xy", one.points.get(point, (None, None)), strict=True)
                    },
                }
            )
    if not rows:
        raise UserError(
            f"none of the {len(failures)} annotations can be used: {failures[0].reason}",
            where=", ".join(map(str, files.values())),
        )
    frame = pd.DataFrame(rows)
    texts = ("image", "identity", "taken", "part", "source", "original")
    kinds = {name: "string" if name in texts else "Float64" for name in frame if name != "row"}
    frame = frame.astype(kinds)
    taken = frame["taken"].str.replace(r"^(\d{4}):(\d{2}):(\d{2})", r"\1-\2-\3", regex=True)
    return frame.assign(timestamp=pd.to_datetime(taken, format="ISO8601", errors="coerce")), failures


def read_imglab(file: Path) -> tuple[list[Annotation], list[Failure]]:
    """All annotations of an images or chips file, and what in it cannot be used.

    Raises:
        UserError: no such file, not XML, or neither images nor chips in it.
    """
    try:
        root = ElementTree.parse(file).getroot()
    except FileNotFoundError:
        raise UserError("there is no such XML file", where=str(file)) from None
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise UserError(f"not readable as XML: {error}", where=str(file)) from None
    elements = [*root.iterfind("images/image"), *root.iterfind("chips/chip")]
    if not elements:
        raise UserError(
            "the file has neither images nor chips",
            where=str(file),
            cure="give an XML file of dlib's imglab, or one of BearID's chips files",
        )
    annotations: list[Annotation] = []
    failures: list[Failure] = []
    number = 0
    for element in elements:
        for found in _chip(element) if element.tag == "chip" else _image(element):
            number += 1
            if isinstance(found, Annotation):
                annotations.append(found._replace(number=number))
            else:
                failures.append(Failure(element.get("file") or "", found, row=number))
    return annotations, failures


def _image(element: ElementTree.Element) -> Iterator[Annotation | str]:
    """The boxes of a photo; a text instead of an annotation says why it cannot be used."""
    file = (element.get("file") or "").strip()
    boxes = element.findall("box")
    if not file:
        yield "the image has no file"
    elif not boxes:
        yield "the image has no box"
    else:
        for box in boxes:
            edges = _box(box)
            if box.get("ignore") == "1":
                yield "the box is marked to be ignored"
            elif edges is None:
                yield "the box is empty or not a number"
            else:
                yield Annotation(
                    file, _text(box, "label"), edges, _points(box), None, _text(element, "dateTime"), 0
                )


def _chip(element: ElementTree.Element) -> Iterator[Annotation | str]:
    file, source = (element.get("file") or "").strip(), element.find("source")
    if not file:
        yield "the chip has no file"
        return
    original = source.get("file") if source is not None else None
    taken = _text(element, "dateTime")
    if taken is None and source is not None:
        taken = _text(source, "dateTime")
    yield Annotation(file, _text(element, "label"), None, _points(element), original, taken, 0)


def _box(element: ElementTree.Element) -> tuple[float, float, float, float] | None:
    try:
        left, top, width, height = (
            float(element.get(name, "")) for name in ("left", "top", "width", "height")
        )
    except ValueError:
        return None
    return (left, top, width, height) if width >= 1 and height >= 1 else None


def _points(element: ElementTree.Element) -> dict[str, Point]:
    points = {}
    for part in element.iterfind("part"):
        name = part.get("name", "")
        try:
            at = float(part.get("x", "")), float(part.get("y", ""))
        except ValueError:
            continue
        points[HEAD_TOPS[0] if name in HEAD_TOPS else name] = at
    return {name: points[name] for name in POINTS if name in points}


def _text(element: ElementTree.Element, tag: str) -> str | None:
    return (element.findtext(tag) or "").strip() or None
