"""`reid run --gpus`: several processes by torch's launcher, here on the processor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

SMOKE = ("--profile", "smoke", "--device", "cpu", "--set", "reporters=[terminal]")


def reid(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "wildreid", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_run_a_recipe(checkout: Path, tmp_path: Path) -> None:
    recipe = checkout / "species/bears/recipe.yaml"
    run = reid("run", recipe, *SMOKE, "--gpus", "2", "--name", "two", cwd=tmp_path)
    out, err = run.communicate()
    assert run.returncode == 0, err
    assert err.count("run     ") == out.count("cross-encounter: ") == 1  # the first speaks, and it alone
    assert "2 processes" in err
    folder = tmp_path / "runs/two"
    assert json.loads((folder / "run.json").read_text())["machine"]["processes"] == 2
    assert json.loads((folder / "scores.json").read_text())["protocols"]["image-loo"]["scores"]
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2


def test_mistakes_end_it_with_2(checkout: Path, tmp_path: Path) -> None:
    recipe = checkout / "species/bears/recipe.yaml"
    for arguments, words in {
        ("--set", "loss.margn=3"): "loss.margn",
        ("--device", "cuda"): f"there are {torch.cuda.device_count()} GPUs here, not 64",
    }.items():
        run = reid("run", recipe, "--profile", "smoke", "--gpus", "64", *arguments, cwd=tmp_path)
        _, err = run.communicate()
        assert run.returncode == 2
        assert words in err
        assert "Traceback" not in err


@pytest.mark.stress
def test_a_killed_process_ends_the_run_which_then_goes_on(checkout: Path, tmp_path: Path) -> None:
    recipe = checkout / "species/bears/recipe.yaml"
    longer = ("--set", "training.epochs=12", "--gpus", "2")
    whole = reid("run", recipe, *SMOKE, *longer, "--name", "whole", cwd=tmp_path)
    assert "error" not in whole.communicate()[1]
    broken = reid("run", recipe, *SMOKE, *longer, "--name", "broken", cwd=tmp_path)
    while not (tmp_path / "runs/broken/checkpoints/last.pt").is_file():
        assert broken.poll() is None
        time.sleep(0.05)
    ranks = [child for child in psutil.Process(broken.pid).children() if child.environ().get("RANK") == "1"]
    ranks[0].send_signal(signal.SIGKILL)
    _, err = broken.communicate()
    assert broken.returncode == 2
    assert "process 1 ended with SIGKILL" in err
    assert "--resume" in err
    assert "Traceback" not in err
    resumed = reid("run", "--resume", "runs/broken", "--gpus", "2", cwd=tmp_path)
    resumed.communicate()
    assert resumed.returncode == 0
    one, two = (load_file(tmp_path / "runs" / name / "model.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(one[name], two[name]) for name in one)
