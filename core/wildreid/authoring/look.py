"""A look at a stranger's photos or table: who is where in it, and which data set of ours reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.authoring.folders import layout_of
from wildreid.data.columns import find_root, is_table, read_parts
from wildreid.data.dates import guess_form
from wildreid.data.exif import with_exif
from wildreid.data.files import find_images, nothing_to_read
from wildreid.data.names import doubtful
from wildreid.data.read import our_columns
from wildreid.data.rows import read_rows
from wildreid.errors import UserError
from wildreid.pipeline.recognise import Recognised, recognise

DATE = re.compile(
    r"(?P<day>(?:19|20)\d\d[-_]?[01]\d[-_]?[0-3]\d)"
    r"(?:[T_ -]{1,2}(?P<time>[0-2]\d[-_:]?[0-5]\d[-_:]?[0-5]\d))?"
)
"""A date, perhaps with a time, inside a file's name."""


@dataclass(frozen=True)
class Look:
    """What a look at the data gave.

    Attributes:
        dataset: the data set as a recipe writes it, its root apart.
        root: absolute folder of the photos.
        names: whether dates (and cameras) stand in file names: the pack needs a reader of its own.
        cameras: whether file names begin with a camera.
        parts: whether the data came with train, val and test.
        events: whether the source says which photos are of one event.
        notes: what was seen, in sentences.
    """

    dataset: dict[str, Any]
    root: Path
    names: bool = False
    cameras: bool = False
    parts: bool = False
    events: bool = False
    notes: tuple[str, ...] = field(default=())


def look_at(path: Path, *, layout: str | None = None, said: Mapping[str, Any] | None = None) -> Look:
    """Look at a table, or at a folder of photos with or without one.

    Args:
        path: the table or folder.
        layout: what the parts of a photo's path mean, as in the data set `camera-trap`; None: it is told by
            the folders' names where it can be.
        said: what somebody says of a table: fields of the data set ``table``.

    Raises:
        UserError: nothing is there, or one cannot tell who is in which photo.
    """
    path, said = path.absolute(), {key: value for key, value in (said or {}).items() if value is not None}
    if layout is not None:
        _no_table(said, path)
        found = find_images(path)
        exif = with_exif(pd.DataFrame({"image": found.images}), path)
        look = _by_layout(layout, path, found.notes, float(exif["timestamp"].notna().mean()))
        return replace(look, dataset={**look.dataset, **said})
    known = recognise(path, inside=True) if path.exists() and not said else None
    if known is not None:
        return _export(known)
    if path.is_file():
        return _table(path, said)
    if not path.is_dir():
        raise UserError(f"there is no file or folder {path}", where="`source=…`")
    for file in sorted(path.iterdir()):
        if is_table(file):
            try:
                return _table(file, said)
            except UserError:
                continue  # a table of something else
    return _folder(path, said)


def _export(known: Recognised) -> Look:
    """What another tool has written, which a data set reads as it is."""
    fields = dict(known.fields)
    root = Path(fields.pop("root"))
    if "file" in fields:
        fields["file"] = _relative(Path(fields["file"]), root)
    table = known.table()
    parts = "part" in table.rows and {"train", "val", "test"} <= set(read_parts(table["part"]).dropna())
    return Look(
        {"name": known.name, **fields},
        root,
        parts=parts,
        events="event" in table.rows,
        notes=table.notes,
    )


def _table(file: Path, said: Mapping[str, Any]) -> Look:
    if not is_table(file):
        raise UserError(
            f"{file} is no table, and no file that a data set recognises",
            where="`source=…`",
            cure="give a CSV or Parquet table, a folder of photos, or another tool's export as it was written",
        )
    rows, _ = read_rows(file)
    given: dict[str, str] = dict(said.get("columns") or {})
    columns: dict[str, str] = given | our_columns(rows, given, file)
    for needed in ("image", "identity"):
        if needed not in columns:
            raise UserError(
                f"no column looks like the {needed}; there are: {', '.join(map(str, rows.columns))}",
                where=str(file),
                cure="rename it, or write the recipe by hand: dataset: {name: table, columns: {…}}",
            )
    root = find_root(rows[columns["image"]], file.parent)
    if root is None:
        raise UserError(
            f"the photos that column '{columns['image']}' names are not near the table",
            where=str(file),
            cure="put the table into the folder that its paths are relative to",
        )
    dataset: dict[str, Any] = {"name": "table", "file": _relative(file, root)}
    renamed = {ours: theirs for ours, theirs in columns.items() if ours != theirs}
    if renamed:
        dataset["columns"] = renamed
    taken = [
        ours if ours == theirs else f"{ours} ('{theirs}' in the table)" for ours, theirs in columns.items()
    ]
    notes = [f"{len(rows)} rows in {file.name}", f"columns taken: {', '.join(taken)}"]
    left = [str(name) for name in rows if name not in (*columns.values(), "table_row")]
    if left:
        notes.append(f"columns kept as they are: {', '.join(left)}")
    if "timestamp" in columns:
        if form := said.get("dates") or guess_form(rows[columns["timestamp"]]):
            dataset["dates"] = form
    else:
        notes.append("no column holds dates")
    unknown, told = _unknown(
        rows[[columns[name] for name in ("identity", "camera") if name in columns]], said
    )
    dataset |= unknown
    notes += told
    parts = "part" in columns and {"train", "val", "test"} <= set(read_parts(rows[columns["part"]]).dropna())
    return Look(dataset, root, parts=parts, notes=tuple(notes))


def _relative(file: Path, root: Path) -> str:
    try:
        return file.relative_to(root).as_posix()
    except ValueError:
        return str(file)  # the table lies beside the photos' folder; an absolute path wins over root


def _unknown(names: pd.DataFrame, said: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What the recipe says of names that may mean unknown, and what one should know of it."""
    if "unknown" in said:
        return {"unknown": list(said["unknown"])}, []
    words = Counter(
        {
            text.strip(): int((names[column] == text).sum())
            for column in names
            for text in sorted(doubtful(names[column].dropna().unique().tolist()))
        }
    )
    if not words:
        return {}, []
    told = ", ".join(f"'{word}' ({count})" for word, count in words.items())
    return {"unknown": list(words)}, [
        f"taken to mean that nobody knows: {told}; if that is a name, write unknown: [] in the recipe"
    ]


def _no_table(said: Mapping[str, Any], root: Path) -> None:
    if said.keys() - {"unknown"}:
        raise UserError(
            "names of columns and a form of dates go with a table, and there is none",
            where=str(root),
            cure="give the table in place of its folder",
        )


def _folder(root: Path, said: Mapping[str, Any]) -> Look:
    _no_table(said, root)
    found = find_images(root)
    inside = pd.Series([image for image in found.images if "/" in image], dtype="string")
    if inside.empty:
        raise UserError(
            f"it is not known who is in which photo: {len(found.images)} photos, in no folder of an individual",
            where=str(root),
            cure=(not found.images and nothing_to_read(found.others))
            or "lay them out as FOLDER/INDIVIDUAL/PHOTO.jpg, or write a table: image, identity",
        )
    exif = with_exif(pd.DataFrame({"image": inside}), root)
    dated = float(exif["timestamp"].notna().mean())
    folders = [image.split("/")[:-1] for image in inside]
    layout = layout_of(folders, root)
    if layout is not None:
        look = _by_layout(layout, root, found.notes, dated)
        return replace(look, dataset={**look.dataset, **said})
    who = inside.str.split("/").str[0]
    unknown, told = _unknown(pd.DataFrame({"identity": who}), said)
    notes = [f"{len(inside)} photos in {who.nunique()} folders, each taken as one individual", *told]
    if dated > 0.5:
        notes.append(f"{dated:.0%} have a date in their EXIF")
        return Look({"name": "folder", **unknown}, root, notes=tuple(notes))
    names = inside.str.split("/").str[-1]
    matches = [DATE.search(name) for name in names]
    if sum(match is not None for match in matches) > 0.9 * len(names):
        before = pd.Series(
            [name[: match.start()].strip("_- ") for name, match in zip(names, matches, strict=True) if match]
        )
        cameras = bool((before != "").all() and before.nunique() <= max(1, len(before) // 4))
        notes.append("their names hold a date" + (" after a camera" if cameras else ""))
        return Look({"name": "photos", **unknown}, root, names=True, cameras=cameras, notes=tuple(notes))
    notes.append("no dates in EXIF or file names")
    return Look({"name": "folder", "exif": False, **unknown}, root, notes=tuple(notes))


def _by_layout(layout: str, root: Path, notes: Sequence[str], dated: float) -> Look:
    """Photos whose path says more than the individual."""
    dataset = {"name": "camera-trap", "layout": layout}
    if "{station}" not in layout and "{camera}" not in layout:
        dataset["camera"] = "exif"
    said = [f"the folders are taken as {layout}", f"{dated:.0%} have a date in their EXIF"]
    return Look(dataset, root, notes=(*notes, *said))
