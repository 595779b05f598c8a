"""The tracker that writes lines of JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.plugins.trackers import told

from wildreid_plugins.trackers.jsonl import Jsonl


def test_lines_late_pictures_and_what_a_resumed_run_does_again(tmp_path: Path) -> None:
    run = told.run(tmp_path)
    with Jsonl().open(run=run) as log:
        for step in (1, 2, 3):
            log.log(step, {"loss": 1.0 / step})
        log.log(1, {}, {"umap": told.picture(run.folder)})
    with Jsonl().open(run=run) as log:  # killed before its checkpoint of step 3
        log.log(2, {}, {"umap": told.picture(run.folder, "epoch-0002.png")})
        log.log(3, {"loss": 9.0})
        log.log(4, {"loss": 8.0})
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1.0), (2, 0.5), (3, 9.0), (4, 8.0)]
    assert [line["pictures"] for line in lines[:3]] == [
        {"umap": "epoch-0001.png"},
        {"umap": "epoch-0002.png"},
        {},
    ]
