"""``journal.jsonl``: every change is one line with its time and author; it only ever grows."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.files import append, reading
from wildreid.gallery.manifest import JournalEnd

FILE = "journal.jsonl"


@dataclass(frozen=True)
class Change:
    """One line of the journal.

    Attributes:
        number: 1, 2, 3 …
        time: UTC, ISO 8601.
        author: the user's name on the system, or the environment variable ``WILDREID_AUTHOR``.
        kind: create, add, features, rename, merge, split, remove, different, withdraw, calibrate or undo.
        what: its arguments.
        before: hash of the line before, so that a line that was altered or taken out shows.
    """

    number: int
    time: str
    author: str
    kind: str
    what: dict[str, Any]
    before: str

    def line(self) -> bytes:
        """The line, with its end."""
        return json.dumps(vars(self), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def write(folder: Path, end: JournalEnd, kind: str, what: dict[str, Any]) -> JournalEnd:
    """Append one change after the end that the manifest knows, and return the new end.

    The change has not happened until the manifest with the new end is saved.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    line = Change(end.changes + 1, now, author(), kind, what, end.last).line()
    append(folder / FILE, end.bytes, line)
    return JournalEnd(changes=end.changes + 1, bytes=end.bytes + len(line), last=_hash(line))


def read(
    folder: Path, end: JournalEnd, *, known: tuple[Sequence[Change], JournalEnd] | None = None
) -> list[Change]:
    """All changes that were committed, oldest first.

    Args:
        folder: the gallery.
        end: up to where, as the manifest says.
        known: changes that were read before, and their end; what comes after it is read.

    Raises:
        UserError: the journal is shorter than the manifest says, or a line was altered.
    """
    path = folder / FILE
    had, start = known or ((), JournalEnd())
    if end == start:
        return list(had)
    with reading(path, cure=CURE):
        if path.stat().st_size < end.bytes:
            raise EOFError(f"it is shorter than the {end.bytes} bytes that gallery.json says")
        with path.open("rb") as file:
            file.seek(start.bytes)
            text = file.read(end.bytes - start.bytes)
    changes = list(had)
    last = start.last
    for number, line in enumerate(text.splitlines(keepends=True), start.changes + 1):
        try:
            change = Change(**json.loads(line))
        except (ValueError, TypeError):
            raise UserError("not a line of a journal", where=f"{path}:{number}", cure=CURE) from None
        if change.number != number or change.before != last:
            raise UserError("this line or the one before it was altered", where=f"{path}:{number}", cure=CURE)
        changes.append(change)
        last = _hash(line)
    if len(text) != end.bytes - start.bytes or len(changes) != end.changes or last != end.last:
        raise UserError("the journal does not end as gallery.json says", where=str(path), cure=CURE)
    return changes


CURE = "take the gallery from a backup; its photos and annotations are still in the folder 'segments'"


def live(changes: Sequence[Change]) -> list[Change]:
    """The changes that count: those that no later line has undone.

    Raises:
        ValueError: more was undone than was done.
    """
    stack: list[Change] = []
    for change in changes:
        if change.kind == "undo":
            if len(stack) < 2:
                raise ValueError(f"change {change.number} undoes a change that does not exist")
            stack.pop()
        else:
            stack.append(change)
    return stack


def counting(changes: Sequence[Change]) -> list[int]:
    """The numbers of the changes that no later line has undone or withdrawn."""
    kept = live(changes)
    gone = {change.what["change"] for change in kept if change.kind == "withdraw"}
    return [change.number for change in kept if change.number not in gone]


def author() -> str:
    """Who changes the gallery."""
    try:
        return os.environ.get("WILDREID_AUTHOR") or getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _hash(line: bytes) -> str:
    return hashlib.blake2b(line, digest_size=8).hexdigest()
