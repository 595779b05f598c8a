"""The tracker that writes lines of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wildreid_plugins.trackers.jsonl import Jsonl


@dataclass
class Run:
    folder: Path
    name: str = "run"
    recipe: dict[str, Any] = field(default_factory=dict)


def test_lines_and_what_a_resumed_run_does_again(tmp_path: Path) -> None:
    with Jsonl().open(run=Run(tmp_path)) as log:
        for step in (1, 2, 3):
            log.log(step, {"loss": 1.0 / step}, {"map": tmp_path / "map.png"})
    with Jsonl().open(run=Run(tmp_path)) as log:  # killed before its checkpoint of step 3
        log.log(3, {"loss": 9.0})
        log.log(4, {"loss": 8.0})
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1.0), (2, 0.5), (3, 9.0), (4, 8.0)]
    assert lines[0]["pictures"] == {"map": "map.png"}
