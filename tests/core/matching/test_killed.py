"""A run that is killed while it matches goes on, to the same bytes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import json, sys, time
from pathlib import Path
from tests.core.matching.made import Built
from tests.core.matching.test_stage import herd, staged
from wildreid.evaluation.rank import save_ranking
import wildreid.matching.pairs
wildreid.matching.pairs.WRITTEN = 0.05
score = Built.score
def slow(self, query, gallery):
    time.sleep(0.0005 * len(gallery))
    return score(self, query, gallery)
Built.score = slow
print("begun", flush=True)
outcome = staged(herd(), Path(sys.argv[1]))
Path(sys.argv[2]).write_text(json.dumps(outcome.told))
save_ranking(outcome.ranking, Path(sys.argv[2] + ".npz"))
"""
KILLS = 5


@pytest.mark.stress
def test_five_kills_at_random_moments_change_no_byte(tmp_path: Path) -> None:
    def begin(cache: str, out: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / cache), str(tmp_path / out)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def begun(process: subprocess.Popen[str]) -> float:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        return time.monotonic()

    with begin("whole", "whole.json") as whole:
        start = begun(whole)
        assert whole.wait() == 0
        took = time.monotonic() - start
    moments = random.Random(7)
    for _ in range(KILLS):
        with begin("killed", "killed.json") as process:
            begun(process)
            time.sleep(moments.uniform(0, took / 2))
            process.kill()
    with begin("killed", "killed.json") as last:
        begun(last)
        assert last.wait() == 0
    for ending in ("", ".npz"):
        found, expected = (tmp_path / f"{name}.json{ending}" for name in ("killed", "whole"))
        assert found.read_bytes() == expected.read_bytes()
