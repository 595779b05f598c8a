"""A run that is killed and resumed is the run that was never stopped, bit for bit."""

from __future__ import annotations

import ast
import hashlib
import json
import random
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from made import micro

CHANGES: dict[int, dict[str, Any]] = {
    0: {
        "loss": {"name": "cross-batch-memory", "loss": "triplet", "size": 64},
        "training": {"epochs": 3, "checkpoint_every": 2, "workers": 2, "smooth": 2},
    },
    1: {
        "loss": "arcface",
        "scheduler": "plateau",
        "optimizer": "sgd",
        "training": {
            "epochs": 3, "ema": 0.9, "accumulate": 2, "checkpoint_every": 1, "clip": 1.0, "freeze": 1,
            "thaw": 1,
        },
    },
}  # fmt: skip


def child(context: ForkServerContext, folder: Path, seed: int, **how: Any) -> int | None:
    process = context.Process(
        target=micro.run_in_child, args=(folder, CHANGES[seed % 2] | {"seed": seed}), kwargs=how
    )
    process.start()
    process.join()
    return process.exitcode


def hashes(folder: Path) -> dict[str, str]:
    files = ["model.safetensors", "model.json"]
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    figures = [{key: value for key, value in line.items() if "second" not in key} for line in lines]
    return found | {"history": repr(figures)}


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.stress] if seed > 1 else []) for seed in range(10)]
)
def test_killed_and_resumed_equals_undisturbed(
    seed: int, children: ForkServerContext, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert child(children, whole, seed, die=None, resume=False) == 0
    counts = ast.literal_eval((whole / "events.txt").read_text())
    draw = random.Random(seed)
    event = draw.choice(["batch", "write", "moved"]) if seed > 1 else ["batch", "write"][seed]
    when = draw.randint(2, counts[event] - 1)
    assert child(children, broken, seed, die=(event, when), resume=False) == -signal.SIGKILL
    # killed a second time, soon after it was resumed
    assert child(children, broken, seed, die=("batch", 1), resume=True) == -signal.SIGKILL
    assert child(children, broken, seed, die=None, resume=True) == 0
    assert hashes(broken) == hashes(whole)
    assert len(list((broken / "checkpoints").glob("best-*"))) == 1


def test_the_weights_on_disk_after_a_kill_are_those_of_the_checkpoint(
    children: ForkServerContext, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    assert child(children, tmp_path, 0, die=("batch", 10), resume=False) == -signal.SIGKILL
    state = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)
    best = load_file(tmp_path / f"checkpoints/best-{state['best']['epoch']:04d}.safetensors")
    published = load_file(tmp_path / "model.safetensors")
    assert state["best"]["epoch"] >= 1
    assert best.keys() == published.keys() == state["embedder"].keys()
    assert all(torch.equal(best[name], published[name]) for name in best)
