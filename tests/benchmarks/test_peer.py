"""A peer's process: questions and answers, and what is said of one that is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.peer import PEERS, Known, Peer, PeerError, alike
from benchmarks.peers.serve import Timed

from benchmarks import peer

ROOT = Path(__file__).parents[2]
SCRIPT = """
import time
from benchmarks.peers.serve import Timed, serve

class Slow:
    def __init__(self):
        self.timed = Timed()
    def __call__(self):
        time.sleep(0.2)  # prepares
        self.timed.begin()
        self.timed.end()

def rows(count):
    print("chatter that is no answer")
    return lambda: [[1.0, 2.0]] * count

def broken():
    raise ValueError("no such\\nthing")

serve({"rows": rows, "slow": Slow, "broken": broken}, "numpy")
"""


def asked(*questions: dict[str, object]) -> list[dict[str, object]]:
    """What a process with `SCRIPT` answers."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, text=True, capture_output=True, check=True,
        input="".join(json.dumps(question) + "\n" for question in questions),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_work_is_made_ready_done_and_kept(tmp_path):
    file = tmp_path / "rows.npy"
    answers = asked(
        {"versions": True}, {"prepare": "rows", "with": {"count": 3}}, {"run": True}, {"keep": str(file)}
    )
    assert answers[0]["versions"] == {"numpy": np.__version__}
    assert answers[1] == answers[3] == {}
    assert len(answers[2]["seconds"]) == 2
    assert np.load(file).tolist() == [[1.0, 2.0]] * 3


def test_a_work_may_time_itself():
    *_, answer = asked({"prepare": "slow", "with": {}}, {"run": True})
    assert answer["seconds"][0] < 0.2


def test_an_error_is_an_answer_in_one_line():
    answer, after = asked({"prepare": "broken", "with": {}}, {"versions": True})
    assert answer == {"error": "ValueError: no such thing"}
    assert "versions" in after


def test_a_peer_that_does_not_start_says_why():
    with pytest.raises(PeerError, match=r"nobody ended: .*No module named"):
        Peer(Known("nobody", "nobody", own=False), threads=1)


def test_a_peer_without_environment_has_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(peer, "ENVIRONMENTS", tmp_path)
    known = Known("wildlife-tools", "wildlife_tools")
    assert known.missing == "no environment: nox -s peers makes it"
    (tmp_path / "wildlife-tools.txt").write_text("does not install: ERROR: no wheel\n")
    assert known.missing == "does not install: ERROR: no wheel"


def test_every_peer_has_its_script_and_its_environment():
    sessions = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for known in PEERS:
        assert (ROOT / "benchmarks" / "peers" / f"{known.script}.py").is_file()
        assert not known.own or f'"{known.name}": (' in sessions


def test_embeddings_are_compared_without_what_all_images_share():
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(20, 8)) + 100.0  # any two are alike
    assert alike(vectors, 3 * vectors).min() > 0.999
    assert alike(vectors, np.roll(vectors, 1, axis=0)).min() < 0.5


def test_time_is_from_begin_to_end():
    timed = Timed()
    timed.begin()
    timed.end()
    assert timed.ended[0] >= timed.began[0]
    assert timed.ended[1] >= timed.began[1]
