"""Ranking and its figures beside the bare blocked matrix product and the peers that install (aim: 2 times).

Each figure is the median over interleaved pairs in one process; the spread is the range. ``cpu`` ratios are
of processor time, which other work on the machine disturbs less. The peak is of a fresh process.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.evaluation.tables import simulated

from wildreid.artefacts import Decision, Evidence
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.rank import rank
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK
from wildreid_plugins.metrics.auroc import AUROC
from wildreid_plugins.metrics.average_precision import AveragePrecision
from wildreid_plugins.metrics.dir_fpir import DirFpir
from wildreid_plugins.metrics.mrr import MRR

BLOCK = 512
METRICS = (AccuracyAtK(), MRR(), AveragePrecision(), AUROC(), DirFpir())
DECISION = Decision(0.4, 0.05, "logistic", (-1.0, 1.0), (0.0, 1.0), (1, 1), (1, 1), False, "cross-encounter")


def animals(images: int, width: int) -> tuple[Any, np.ndarray]:
    """Twenty images of each animal: four encounters of five; a tenth of the animals only asks."""
    table, embeddings = simulated(
        individuals=images // 20, encounters=4, burst=5, noise=2.0, encounter=1.0, width=width
    )
    table.rows.loc[: images // 10 - 1, "role"] = "query"
    return table, embeddings


def bare(embeddings: np.ndarray) -> None:
    """The scores alone, in blocks, each thrown away."""
    scores = np.empty((BLOCK, len(embeddings)), dtype=np.float32)
    for start in range(0, len(embeddings), BLOCK):
        queries = embeddings[start : start + BLOCK]
        np.matmul(queries, embeddings.T, out=scores[: len(queries)])


def ours(table: Any, embeddings: np.ndarray) -> dict[str, float]:
    """Every figure of the speed target, with the encounter mask."""
    ranking = rank(embeddings, table, protocol="cross-encounter", block=BLOCK)
    evidence = Evidence(ranking, table, embeddings, DECISION)
    found = {}
    for metric in METRICS:
        for name, value in metric.measure(evidence=evidence).items():
            if isinstance(value, np.ndarray) and np.isfinite(value).any():
                found[name] = float(np.nanmean(value))
    return found


def pml(table: Any, embeddings: np.ndarray) -> dict[str, float]:
    """pytorch-metric-learning's full mAP, which knows no encounters."""
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    labels = torch.from_numpy(np.unique(table["identity"].to_numpy(str), return_inverse=True)[1])
    vectors = torch.from_numpy(embeddings)
    calculator = AccuracyCalculator(
        include=("precision_at_1", "mean_reciprocal_rank", "mean_average_precision"), k=len(labels) - 1
    )
    return calculator.get_accuracy(vectors, labels, vectors, labels, ref_includes_query=True)  # type: ignore[no-any-return]


def took(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def beside(benchmark: Any, work: Callable[[], object], plain: Callable[[], object], pairs: int) -> None:
    """Interleave `work` with `plain`, and note the ratio."""
    work(), plain()
    times = [(took(plain), took(work)) for _ in range(pairs)]
    for at, clock in enumerate(("wall", "cpu")):
        ratios = [one[at] / other[at] for other, one in times]
        benchmark.extra_info[f"× bare, {clock}"] = round(statistics.median(ratios), 2)
        benchmark.extra_info[f"× bare, {clock}, spread"] = [round(min(ratios), 2), round(max(ratios), 2)]
    benchmark.extra_info["bare, seconds"] = round(statistics.median(other[0] for other, _ in times), 2)
    benchmark.pedantic(work, rounds=1)


def peak(images: int, width: int) -> float:
    """Peak memory of a fresh process that ranks once, in GB."""
    script = (
        f"import resource\nfrom benchmarks.test_ranking import animals, ours\n"
        f"ours(*animals({images}, {width}))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout) * 1024 / 1e9


@pytest.mark.parametrize("images", [5_000, 20_000])
def test_ranking_with_every_figure(benchmark: Any, images: int) -> None:
    table, embeddings = animals(images, 512)
    beside(benchmark, lambda: ours(table, embeddings), lambda: bare(embeddings), pairs=5)
    benchmark.extra_info["peak, GB"] = round(peak(images, 512), 2)


def test_pytorch_metric_learning(benchmark: Any) -> None:
    table, embeddings = animals(5_000, 512)
    beside(benchmark, lambda: pml(table, embeddings), lambda: bare(embeddings), pairs=3)


@pytest.mark.stress
def test_ranking_at_70_000(benchmark: Any) -> None:
    table, embeddings = animals(70_000, 768)
    plain, whole = took(lambda: bare(embeddings)), took(lambda: ours(table, embeddings))
    benchmark.extra_info["× bare, wall"] = round(whole[0] / plain[0], 2)
    benchmark.extra_info["× bare, cpu"] = round(whole[1] / plain[1], 2)
    benchmark.extra_info["peak, GB"] = round(peak(70_000, 768), 2)
    benchmark.pedantic(lambda: ours(table, embeddings), rounds=1)


def test_bootstrap_of_20_000_queries(benchmark: Any) -> None:
    random = np.random.default_rng(0)
    values = (random.random(20_000) < 0.7).astype(float)
    draws = Bootstrap(random.integers(0, 2_000, 20_000), 1000, 0.95, 0)
    benchmark(draws.interval, values)
