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
        """Write lines such as ``{"step": 3, "loss": 0.7, "pictures": {}}``."""
        yield Lines(run.folder / self.file)


class Lines:
    """A file of lines, of which a resumed run takes back what it is about to do again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Write one line; lines of this step or a later one, from before a resumption, are dropped."""
        old = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        kept = [line for line in old if json.loads(line)["step"] < step]
        names = {name: path.name for name, path in (pictures or {}).items()}
        line = json.dumps({"step": step, **values, "pictures": names})
        self.path.write_text("".join(f"{line}\n" for line in [*kept, line]), encoding="utf-8")
