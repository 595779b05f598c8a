"""A run killed at any moment, from the first image to the report, ends as one that was never disturbed."""

from __future__ import annotations

import ast
import hashlib
import multiprocessing
import os
import random
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from tests.core.pipeline.test_stages import photos

SETTINGS = {
    "training.epochs": 2, "training.checkpoint_every": 1, "evaluation.probes": True, "evaluation.bootstrap": 20,
    "evaluation.protocols": ["cross-encounter", "image-loo", "fixed-gallery"],
    "metrics": ["accuracy-at-k", "auroc", "dir-fpir", "baks-baus", "calibration", "verification"],
}  # fmt: skip


def run_in_child(recipe: Path, out: Path, *, die: tuple[str, int] | None, resume: bool) -> None:
    """Run in this process, and kill it (SIGKILL) where `die` says.

    ``("read", n)`` is when images are read for the nth time, ``("write", n)`` when the nth file stands beside
    its place and is not yet moved there, ``("moved", n)`` just after that.
    """
    import wildreid
    from wildreid.data.store import ImageStore

    counts = {"read": 0, "write": 0, "moved": 0}

    def count(event: str) -> None:
        counts[event] += 1
        if die == (event, counts[event]):
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(function: Callable[..., Any], before: str, after: str = "") -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            count(before)
            found = function(*arguments, **named)
            if after:
                count(after)
            return found

        return call

    ImageStore.take = watched(ImageStore.take, "read")  # type: ignore[method-assign]
    Path.replace = watched(Path.replace, "write", "moved")  # type: ignore[method-assign]
    if resume and (out / "run/recipe.yaml").is_file():
        from wildreid.pipeline import resume as go_on

        go_on(out / "run")
    else:
        wildreid.run(recipe, out=out, name="run", settings=SETTINGS)
    (out / "events.txt").write_text(repr(counts))


@pytest.fixture(scope="module")
def children() -> ForkServerContext:
    """Children that come from a server which has torch loaded and nothing begun."""
    context = multiprocessing.get_context("forkserver")
    heavy = [
        "timm",
        "pytorch_metric_learning.losses",
        "pytorch_metric_learning.miners",
        "sklearn.linear_model",
    ]
    context.set_forkserver_preload(["tests.core.pipeline.test_resume_run", "wildreid.pipeline", *heavy])
    return context


def child(context: ForkServerContext, recipe: Path, out: Path, **how: Any) -> int | None:
    process = context.Process(target=run_in_child, args=(recipe, out), kwargs=how)
    process.start()
    process.join()
    return process.exitcode


def hashes(folder: Path) -> dict[str, str]:
    files = ("model.safetensors", "model.json", "decision.json", "scores.json", "embeddings.npy")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}


@pytest.fixture(scope="module")
def whole(children: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The recipe, and where it was run without a disturbance."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = photos(folder)
    assert child(children, recipe, folder, die=None, resume=False) == 0
    return recipe, folder


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.stress] if seed > 1 else []) for seed in range(10)]
)
def test_a_run_killed_and_resumed_has_the_same_scores(
    seed: int, children: ForkServerContext, whole: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe, undisturbed = whole
    counts = ast.literal_eval((undisturbed / "events.txt").read_text())
    draw = random.Random(seed)
    event = ("read", "write", "moved")[seed % 3]
    when = draw.randint(1, counts[event])
    assert child(children, recipe, tmp_path, die=(event, when), resume=False) == -signal.SIGKILL
    assert child(children, recipe, tmp_path, die=None, resume=True) == 0
    assert hashes(tmp_path / "run") == hashes(undisturbed / "run")
