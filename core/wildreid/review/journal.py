"""``reviews.jsonl``: every decision of a person is one line, on disk before the browser hears of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from wildreid.errors import UserError
from wildreid.files import append

FILE = "reviews.jsonl"
DECISIONS = ("same", "different", "new", "cannot-tell", "not-comparable", "bad-photo", "skip")
"""All that can be decided; ``skip`` is never written down."""
REASONS = ("blurred", "dark", "cut off", "far", "no animal", "several animals")
"""Why a photo is bad."""
FINAL = ("same", "new", "bad-photo")
"""Decisions after which nobody else is asked who it is."""


@dataclass(frozen=True)
class Review:
    """One line.

    Attributes:
        number: 1, 2, 3 …
        time: UTC, ISO 8601.
        reviewer: who decided.
        task: what was asked: the hash of the keys of both sides.
        mode: identify or compare.
        keys: the annotations that were asked about.
        others: annotations of the other side, which stand for an individual whatever its name is now; empty
            where the decision is about none.
        decision: one of `DECISIONS`, ``viewpoint`` or ``undo``.
        individual: the name of the individual at that moment; for ``new`` the one it was given.
        reason: of a bad photo; of ``viewpoint`` the side.
        shown: the candidates that were on the screen, in their order: name, score, probability.
        rule: the gallery's thresholds at that moment.
        model: the name of the gallery's model.
        blind: whether neither names nor scores nor an earlier answer were shown.
        ms: from the photos' appearing to the decision.
        confidence: 1 (guess) to 4 (certain); None where it was not asked.
        settles: the numbers of the decisions that disagreed, which this one settles.
        undoes: the number of the line that it takes back.
        client: which window, and its own number, so that what is sent twice is one decision.
        before: hash of the line before, so that one that was altered or taken out shows.
    """

    number: int
    time: str
    reviewer: str
    task: str
    mode: str
    keys: tuple[str, ...]
    others: tuple[str, ...]
    decision: str
    individual: str | None = None
    reason: str | None = None
    shown: tuple[dict[str, Any], ...] = ()
    rule: dict[str, float] | None = None
    model: str = ""
    blind: bool = False
    ms: int | None = None
    confidence: int | None = None
    settles: tuple[int, ...] = ()
    undoes: int | None = None
    client: str = ""
    before: str = ""

    def line(self) -> bytes:
        """The line, with its end."""
        return json.dumps(vars(self), ensure_ascii=False, allow_nan=False).encode() + b"\n"


class Reviews:
    """All reviews of one gallery, held by the one process that writes them.

    Args:
        folder: the gallery.
        write: hold the lock; else only read what is there.
        where: the address of this server, for those who come second.

    Raises:
        UserError: another server has them; or a line was altered.
    """

    def __init__(self, folder: Path, *, write: bool = True, where: str = "") -> None:
        self.path = folder / FILE
        self._lock = FileLock(folder / ".reviews.lock", thread_local=False)  # whoever closes it releases it
        if write:
            self._hold(folder / ".reviews.server", where)
        self.lines, self._end, self._last = read(self.path)
        self.told = {line.client: line for line in self.lines if line.client}

    def add(self, review: Review) -> Review:
        """Write one line to the disk and return it with its number and hash.

        Raises:
            UserError: it cannot be written; then it has not happened.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        whole = replace(review, number=len(self.lines) + 1, time=now, before=self._last)
        line = whole.line()
        try:
            append(self.path, self._end, line)
        except OSError as error:
            with contextlib.suppress(OSError), self.path.open("r+b") as file:
                file.truncate(self._end)
            raise UserError(
                f"the decision is not written down: {error.strerror}",
                where=str(self.path),
                cure="make space on the disk and decide again",
            ) from None
        self.lines.append(whole)
        self._end += len(line)
        self._last = _hash(line)
        if whole.client:
            self.told[whole.client] = whole
        return whole

    def close(self) -> None:
        """Let another server have them."""
        self._lock.release()

    def _hold(self, note: Path, where: str) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            first = note.read_text(encoding="utf-8") if note.is_file() else "another process"
            raise UserError(
                f"this gallery is being reviewed already: {first}",
                where=str(self.path.parent),
                cure="open that page, or stop that server first",
            ) from None
        note.write_text(where, encoding="utf-8")


def read(path: Path) -> tuple[list[Review], int, str]:
    """The lines, the byte after the last whole one, and its hash.

    A last line without an end was being written when its process was killed: no browser had heard of it.

    Raises:
        UserError: a line was altered or taken out.
    """
    text = path.read_bytes() if path.is_file() else b""
    whole = text[: text.rfind(b"\n") + 1]
    lines: list[Review] = []
    last = ""
    for number, line in enumerate(whole.splitlines(keepends=True), 1):
        try:
            said: dict[str, Any] = {
                name: tuple(v) if isinstance(v, list) else v for name, v in json.loads(line).items()
            }
            review = Review(**said)
        except (ValueError, TypeError, AttributeError):
            review = None
        if review is None or review.number != number or review.before != last:
            raise UserError(
                "this line or the one before it was altered",
                where=f"{path}:{number}",
                cure="take the file from a backup",
            )
        lines.append(review)
        last = _hash(line)
    return lines, len(whole), last


def standing(lines: Iterable[Review]) -> list[Review]:
    """The decisions that no later line took back."""
    lines = list(lines)
    undone = {line.undoes for line in lines if line.decision == "undo"}
    return [line for line in lines if line.decision != "undo" and line.number not in undone]


def built_on(review: Review, lines: Sequence[Review]) -> list[Review]:
    """The later standing decisions that need this one: they speak of its images, or of whom it named."""
    keys = {*review.keys, *(review.others if review.mode == "compare" else ())}
    names = {review.individual} if review.decision == "new" else set()
    return [
        line
        for line in standing(lines)
        if line.number > review.number
        and not line.blind
        and line.decision != "viewpoint"
        and (keys & {*line.keys, *line.others} or (line.individual in names and line.decision == "same"))
    ]


def _hash(line: bytes) -> str:
    return hashlib.blake2b(line, digest_size=8).hexdigest()
