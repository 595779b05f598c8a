from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.record import Record

from benchmarks import kept, page


def test_each_row_is_written_as_it_is_there_and_one_that_fails_takes_no_other_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = kept.Kept(tmp_path, "What this is.", rehearsed=True)
    row = {"backbone": "one"}

    def good(record: Record) -> None:
        record.row("Training", row, figures={"images a second": 12.5})

    def bad(record: Record) -> None:
        raise RuntimeError("out of memory")

    seen = []
    for name, work in (("first", good), ("second", bad), ("third", good)):
        if name == "third":
            monkeypatch.setattr(kept, "ENOUGH", 0.0)
        rows.row(name, "How it was measured.", work, "Training", row)
        (found,) = page.load(tmp_path / "gpu.json")
        seen.append(len(found["benchmarks"]))
        assert len([*tmp_path.glob("*-quick.md")]) == 1
    assert seen == [1, 2, 3]
    assert rows.failed == ["second"]
    left = [
        one["extra_info"]["rows"][0] for one in json.loads((tmp_path / "gpu.json").read_text())["benchmarks"]
    ]
    assert left[0]["figures"] == {"images a second": 12.5}
    assert left[1]["reason"] == "failed: RuntimeError: out of memory"
    assert left[2]["reason"] == "no time was left"
    monkeypatch.setattr(kept, "ENOUGH", 50.0)
    rows.row("long", "How it was measured.", good, "Training", row, needs=100.0)
    (found,) = page.load(tmp_path / "gpu.json")
    assert found["benchmarks"][-1]["extra_info"]["rows"][0]["reason"] == "no time was left"
    text = next(tmp_path.glob("*-quick.md")).read_text()
    assert all(word in text for word in ("12.5", "out of memory", "no time was left", "How it was measured."))
