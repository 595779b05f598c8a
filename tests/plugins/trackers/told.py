"""What the tests of trackers tell them: a run, a picture, a report, results."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

RECIPE = {"name": "one", "loss": {"name": "triplet", "margin": 0.2}, "transforms": [{"name": "blur"}]}
RESULTS: Any = SimpleNamespace(
    name="one",
    stamp="sample",
    run={"versions": {"wildreid": "0.1.0"}},
    scores={
        "protocols": {
            "cross-encounter": {
                "optimistic": None,
                "scores": {
                    "accuracy@1": {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8},
                    "auroc": {"value": None, "reason": "no unknowns", "n": 0},
                },
            }
        }
    },
)


@dataclass
class Run:
    folder: Path
    name: str = "one"
    recipe: dict[str, Any] = field(default_factory=lambda: dict(RECIPE))
    hashes: dict[str, str] = field(default_factory=lambda: {"inputs": "c0ffee"})


def run(base: Path) -> Run:
    """A run in a folder of runs."""
    folder = base / "runs" / "one"
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder)


def picture(folder: Path, name: str = "epoch-0001.png") -> Path:
    """A red picture."""
    Image.new("RGB", (16, 8), (255, 0, 0)).save(folder / name)
    return folder / name


def report(folder: Path) -> Path:
    """A page."""
    (folder / "index.html").write_text("<p>a report</p>", encoding="utf-8")
    return folder / "index.html"
