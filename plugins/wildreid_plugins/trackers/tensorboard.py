"""TensorBoard: event files in the run's folder, which its own page shows while training goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Tracker

if TYPE_CHECKING:
    from wildreid.artefacts import Results
    from wildreid.kinds import Log, Run


class Tensorboard(Tracker):
    """Event files for ``tensorboard --logdir runs``: numbers, pictures, the recipe, hashes and the scores."""

    name = "tensorboard"
    folder: str = Field("tensorboard", pattern=r"^[\w.-]+$", description="name of its folder in the run's")

    @contextmanager
    def open(self, *, run: Run) -> Iterator[Log]:
        """Write on in the same folder; what a resumed run does again has the same numbers as before."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError(
                f"tensorboard is not installed ({error})", cure="pip install 'wildreid[tensorboard]'"
            ) from None
        with SummaryWriter(str(run.folder / self.folder)) as writer:
            events = Events(writer)
            events.text("recipe", json.dumps(run.recipe, indent=1, default=str))
            events.text("hashes", json.dumps(dict(run.hashes), indent=1))
            yield events


class Events:
    """What goes into the event files."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self.step = 0

    def log(self, step: int, values: Mapping[str, float], pictures: Mapping[str, Path] | None = None) -> None:
        """Add a point to each number's curve, and pictures under their names; seen at once."""
        import numpy as np
        from PIL import Image

        self.step = max(self.step, step)
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        for name, path in (pictures or {}).items():
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            self.writer.add_image(name, pixels, step, dataformats="HWC")
        self.writer.flush()

    def report(self, results: Results, paths: Sequence[Path]) -> None:
        """Add the scores, each with interval, number and protocol, and where the report lies."""
        rows = ["| protocol | score | value | interval | n |", "|---|---|---|---|---|"]
        for protocol, block in results.scores["protocols"].items():
            name = f"{protocol} (optimistic)" if block.get("optimistic") else protocol
            for score, told in block["scores"].items():
                rows.append(f"| {name} | {score} | {_words(told)} |")
        files = "\n".join(f"- {path}" for path in paths)
        stamp = f" [{results.stamp}]" if results.stamp else ""
        text = "\n".join([f"**{results.name}{stamp}**, measured on the test part", "", *rows, "", files])
        self.writer.add_text("report", text, self.step)
        self.writer.flush()

    def text(self, name: str, text: str) -> None:
        """Add a text as it is."""
        self.writer.add_text(name, f"```json\n{text}\n```", 0)


def _words(told: Mapping[str, Any]) -> str:
    value, low, high = (told.get(name) for name in ("value", "low", "high"))
    if value is None:
        return f"– | {told.get('reason', '')} | {told.get('n', '')}"
    interval = f"{low:.3f} – {high:.3f}" if low is not None and high is not None else ""
    return f"{value:.3f} | {interval} | {told.get('n', '')}"
