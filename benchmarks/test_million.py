"""From a million embeddings in shards to the answer to one photo, each step a command in a process of its own.

Embeddings are made up; the animal of the one photo has its photo's own. Libraries are imported before the clock
starts. The peak is the whole process's, libraries included; own memory is what no file stands behind.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.fresh import cost
from benchmarks.million import WHO, answer, made
from benchmarks.record import Record
from benchmarks.timing import Seconds


@pytest.mark.parametrize(
    ("rows", "width"), [(10_000, 256), pytest.param(1_000_000, 256, marks=pytest.mark.stress)]
)
def test_from_shards_to_an_answer(record: Record, tmp_path: Path, rows: int, width: int) -> None:
    """`right` is whether the first candidate is the animal of the photo; its folder is gone afterwards."""
    made(tmp_path, rows, width)
    shards, gallery, said = (str(tmp_path / name) for name in ("shards", "gallery", "said.json"))
    steps = {
        "embed --join": ("embed", "--join", shards),
        "gallery create --embeddings": (
            "gallery", "create", gallery, "--model", str(tmp_path / "run"), "--embeddings", shards,
        ),
        "gallery list": ("gallery", "list", gallery),
        "identify, one photo": ("identify", gallery, str(tmp_path / "asked.png"), "--json", said),
    }  # fmt: skip
    try:
        for step, arguments in steps.items():
            spent = cost(
                "benchmarks.million:command", *arguments, limit=2**40
            )  # so that own memory is looked at
            record.row(
                "From shards to an answer", {"rows": rows, "width": width, "reid": step},
                seconds={"wildreid": [Seconds(spent.wall, spent.processor)]},
                figures={"peak, GB": spent.peak / 1e9, "own, GB": spent.own / 1e9}
                | ({"right": answer(Path(said))["individual"] == WHO} if step.startswith("identify") else {}),
            )  # fmt: skip
        record.benchmark.pedantic(lambda: None, rounds=1)
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)
