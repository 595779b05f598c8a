"""Photos that a program sends, as files of a form or as data URIs, with boxes or a table beside them."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from mimetypes import guess_extension
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from wildreid.data.columns import is_table
from wildreid.data.images import SUFFIXES, Box
from wildreid.data.read import read_table
from wildreid.data.table import BOX, Table
from wildreid.errors import UserError

if TYPE_CHECKING:
    from starlette.requests import Request

BYTES = 25 * 2**20
"""Of one photo, at most."""
AS_TEXT = 4 * BYTES
"""Of one request with data URIs, which is held in memory."""
BOXES = 1000
"""Of one photo, at most."""


class Refused(Exception):
    """What was sent cannot be taken: a status, what is wrong, and where."""

    def __init__(self, status: int, what: str, where: str = "") -> None:
        self.status, self.what, self.where = status, what, where
        super().__init__(what)


@dataclass
class Received:
    """What came, in a folder of its own.

    Attributes:
        folder: where the photos are, under their own names.
        photos: these names, in the order they came.
        boxes: of some photos the animals, in pixels of the upright image: left, top, width, height.
        table: the name of the table that says more of the photos; None: there is none.
    """

    folder: Path
    photos: list[str] = field(default_factory=list)
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    table: str | None = None

    def asked(self) -> list[Path] | Table:
        """What `identify` is asked about.

        Raises:
            UserError: the table names photos that were not sent, or is none.
        """
        if self.table is not None:
            table = read_table(self.folder / self.table, self.folder, named=False)
            strange = [image for image in table["image"] if image not in self.photos]
            if strange:
                raise UserError(
                    f"the table names {len(strange)} photos that were not sent, such as {strange[0]!r}",
                    where="table",
                    cure="send each photo of the table under the name that it has there",
                )
            return table
        paths = [self.folder / name for name in self.photos]
        if not self.boxes:
            return paths
        from wildreid.identification.photos import read_photos  # the network library takes seconds

        photos = read_photos(paths)
        rows = photos.rows.drop(columns=["id", *BOX])
        whole: list[Box | None] = [None]
        of = [self.boxes.get(str(image)) or whole for image in rows["image"]]
        rows = rows.loc[rows.index.repeat([len(own) for own in of])].reset_index(drop=True)
        sides = [box or (math.nan,) * 4 for own in of for box in own]
        return Table.of(
            rows.assign(**dict(zip(BOX, zip(*sides, strict=True), strict=True))), photos.root, photos.failures
        )


async def received(request: Request, folder: Path, most: int) -> Received:
    """The photos of a request, put into a folder.

    Args:
        request: a form (`multipart/form-data`) with files in fields named ``photos`` and where wanted one in the
            field ``table``, and JSON in the field ``boxes``; or JSON, ``{"photos": [{"image_uri": …}]}``.
        folder: new and empty.
        most: photos that may come.

    Raises:
        Refused: it is something else, too large, or names what it must not.
    """
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most * BYTES:
        raise Refused(413, f"a photo has at most {BYTES // 2**20} MB")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = Received(folder)
    if kind == "multipart/form-data":
        await _of_form(request, found, most)
    elif kind == "application/json":
        _of_json(await _text(request), found, most)
    else:
        raise Refused(
            415, "photos come as multipart/form-data in fields named photos, or as JSON with data URIs"
        )
    if unknown := sorted(set(found.boxes) - set(found.photos)):
        raise Refused(422, "there are boxes of a photo that was not sent", unknown[0][:200])
    if found.boxes and found.table:
        raise Refused(422, "boxes stand in the table or beside the photos, not both", "boxes")
    return found


async def _of_form(request: Request, found: Received, most: int) -> None:
    try:
        async with request.form(max_files=most + 2, max_fields=10) as form:
            given, tables = form.getlist("photos"), form.getlist("table")
            photos = [one for one in given if isinstance(one, UploadFile)]
            if not photos or len(photos) != len(given) or len(photos) > most:
                raise Refused(422, f"1 to {most} files in fields named photos are wanted", "photos")
            for one in photos:
                found.photos.append(_kept(found, one.filename or "", await one.read(BYTES + 1)))
            if tables:
                (table, *others) = tables
                if others or not isinstance(table, UploadFile) or not is_table(Path(table.filename or "")):
                    raise Refused(422, "one CSV or Parquet file is wanted", "table")
                name = f"table{Path(table.filename or '').suffix.lower()}"
                (found.folder / name).write_bytes(_small(await table.read(BYTES + 1), "table"))
                found.table = name
            boxes = form.get("boxes") or form.get("bbox")
            if isinstance(boxes, str):
                bare = not boxes.lstrip().startswith(("[", "{"))  # 10,20,300,200, as ml-service has it
                said = _json((f"[{boxes}]" if bare else boxes).encode(), "boxes")
                alone = isinstance(said, list) and len(found.photos) == 1
                found.boxes = _boxes({found.photos[0]: _as_list(said)} if alone else said)
    except (HTTPException, MultiPartException, UnicodeDecodeError, ValueError, KeyError):
        raise Refused(422, "this is no form with files") from None


def _of_json(text: bytes, found: Received, most: int) -> None:
    said = _json(text, "")
    if isinstance(said, dict) and "image_uri" in said:
        said = {"photos": [said]}  # as ml-service has it
    photos = said.get("photos") if isinstance(said, dict) else None
    if not isinstance(photos, list) or not 1 <= len(photos) <= most:
        raise Refused(422, f"1 to {most} photos are wanted", "photos")
    boxes: dict[str, Any] = {}
    for number, one in enumerate(photos, 1):
        where = f"photos[{number - 1}]"
        if not isinstance(one, dict) or not isinstance(one.get("image_uri"), str):
            raise Refused(422, "each photo has an image_uri", where)
        data, suffix = _of_uri(one["image_uri"], where)
        name = one.get("name") or f"photo-{number}{suffix}"
        found.photos.append(_kept(found, str(name), data))
        own = one.get("boxes") or one.get("bbox")
        if own is not None:
            boxes[str(name)] = _as_list(own)
    found.boxes = _boxes(boxes)


def _of_uri(uri: str, where: str) -> tuple[bytes, str]:
    """The bytes of a data URI, and the ending of a file of its type; nothing is ever fetched."""
    head, comma, body = uri.partition(",")
    kind, *more = head.removeprefix("data:").split(";")
    suffix = guess_extension(kind) or ""
    if not head.startswith("data:") or not comma or more[-1:] != ["base64"] or suffix not in SUFFIXES:
        raise Refused(
            422,
            "an image_uri is data:image/jpeg;base64,… or of another type of photo; none is fetched",
            where,
        )
    if len(body) > BYTES * 4 // 3 + 4:
        raise Refused(413, f"a photo has at most {BYTES // 2**20} MB", where)
    try:
        return base64.b64decode(body, validate=True), suffix
    except (binascii.Error, ValueError):
        raise Refused(422, "this is no base64", where) from None


def _kept(found: Received, name: str, data: bytes) -> str:
    """Put one photo into the folder under its own name."""
    path = Path(name)
    if not name.isprintable() or path.name != name or name in found.photos or len(name.encode()) > 200:
        raise Refused(422, "each photo needs a plain file name of its own", name[:200])
    if path.suffix.lower() not in SUFFIXES:
        raise Refused(422, f"a photo's name ends in one of {', '.join(sorted(SUFFIXES))}", name[:200])
    (found.folder / name).write_bytes(_small(data, name[:200]))
    return name


def _small(data: bytes, where: str) -> bytes:
    if len(data) > BYTES:
        raise Refused(413, f"a photo has at most {BYTES // 2**20} MB", where)
    return data


async def _text(request: Request) -> bytes:
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > AS_TEXT:
            raise Refused(
                413, f"a request with data URIs has at most {AS_TEXT // 2**20} MB: send files in a form"
            )
        parts.append(part)
    return b"".join(parts)


def _json(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(422, "this is no JSON", where) from None


def _as_list(said: Any) -> Any:
    """One box, or several, as several."""
    return [said] if isinstance(said, Sequence) and said and not isinstance(said[0], list | tuple) else said


def _boxes(said: Any) -> dict[str, list[Box]]:
    if not isinstance(said, Mapping):
        raise Refused(
            422, 'boxes are given by the photo\'s name: {"a.jpg": [[left, top, width, height]]}', "boxes"
        )
    found: dict[str, list[Box]] = {}
    for name, boxes in said.items():
        where = f"boxes of {name[:200]}"
        if not isinstance(boxes, list) or len(boxes) > BOXES:
            raise Refused(422, f"a photo has a list of at most {BOXES} boxes", where)
        found[name] = [_box(box, where) for box in boxes]
    return found


def _box(said: Any, where: str) -> Box:
    numbers = [one for one in said if type(one) in (int, float)] if isinstance(said, list) else []
    sides = tuple(map(float, numbers[:4])) if all(abs(one) < 1e6 for one in numbers) else ()
    if len(sides) != 4 or len(said) != 4 or min(sides[2:]) <= 0:
        raise Refused(422, "a box is left, top, width and height in pixels of the upright photo", where)
    return sides[0], sides[1], sides[2], sides[3]
