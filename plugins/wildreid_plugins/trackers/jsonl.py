"""The plainest tracker: one line of JSON an epoch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from wildreid.kinds import Tracker

if TYPE_CHECKING:
    from wildreid.kinds import Log, Run


class Jsonl(Tracker):
    """One line of JSON an epoch, in a file of the run's folder."""

    name = "jsonl"
    file: str = Field("metrics.jsonl", pattern=r"^[\w.-]+\.jsonl$", description="name of the file")

    @contextmanager
    def open(self, *, run: Run) -> Iterator[Log]:
        """Write lines such as ``{"step": 3, "loss": 0.7, "pictures": {"umap": "epoch-0003.png"}}``."""
        yield Lines(run.folder / self.file)


class Lines:
    """A file of lines, one a step, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Write one line, or add to it.

        With numbers the lines of later steps go: a run that was stopped before its checkpoint does them again.
        Pictures alone may come late.
        """
        old = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        lines = {line["step"]: line for line in map(json.loads, old) if line["step"] <= step or not values}
        line = {"pictures": {}} | lines.get(step, {}) | {"step": step} | dict(values)
        names = {name: path.name for name, path in (pictures or {}).items()}
        rest = {key: value for key, value in line.items() if key not in ("step", "pictures")}
        lines[step] = {"step": step, **rest, "pictures": line["pictures"] | names}
        text = "".join(f"{json.dumps(lines[n])}\n" for n in sorted(lines))
        self.path.write_text(text, encoding="utf-8")
