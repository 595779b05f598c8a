"""Ranking and its figures beside the bare blocked matrix product, whose scores are thrown away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import pytest
from benchmarks.fresh import cost
from benchmarks.record import Record
from made.tables import simulated

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


def nearest(embeddings: np.ndarray) -> None:
    """faiss's twenty nearest images, blocks at a time as it likes."""
    index = faiss.IndexFlatIP(embeddings.shape[1])
    index.add(embeddings)
    index.search(embeddings, 20)


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


def once(images: int, width: int) -> Callable[[], object]:
    """For a process of its own."""
    table, embeddings = animals(images, width)
    return lambda: ours(table, embeddings)


@pytest.mark.parametrize("images", [1_000, 5_000, pytest.param(20_000, marks=pytest.mark.full)])
def test_ranking_with_every_figure(record: Record, images: int) -> None:
    """Images ranked against images with the encounter mask; accuracy@k, MRR, mAP, AUROC and DIR/FPIR.

    faiss finds the twenty nearest images alone, without a mask.
    """
    table, embeddings = animals(images, 512)
    sides = {
        "wildreid": lambda: ours(table, embeddings),
        "bare product": lambda: bare(embeddings),
        "faiss": lambda: nearest(embeddings),
    }
    peak = cost("benchmarks.test_ranking:once", images, 512).peak / 1e9
    record.beside(
        "Ranking with every figure", {"images": images, "width": 512}, sides, compare="time",
        figures={"peak, GB": peak}, aims={"bare product": ("<=", 2.0), "peak, GB": ("<=", 1.0)},
    )  # fmt: skip


@pytest.mark.stress
def test_ranking_at_70_000(record: Record) -> None:
    """The same at 70,000 × 70,000 × 768, each side once, in this order: it takes minutes."""
    table, embeddings = animals(70_000, 768)
    sides = {"wildreid": lambda: ours(table, embeddings), "bare product": lambda: bare(embeddings)}
    peak = cost("benchmarks.test_ranking:once", 70_000, 768).peak / 1e9
    record.beside(
        "Ranking with every figure", {"images": 70_000, "width": 768}, sides, pairs=1, warm=False,
        compare="time", figures={"peak, GB": peak}, aims={"peak, GB": ("<=", 4.0)},
    )  # fmt: skip


def test_bootstrap_of_20_000_queries(record: Record) -> None:
    """A thousand resamples of 2,000 individuals."""
    random = np.random.default_rng(0)
    values = (random.random(20_000) < 0.7).astype(float)
    draws = Bootstrap(random.integers(0, 2_000, 20_000), 1000, 0.95, 0)
    record.beside(
        "Intervals", {"queries": 20_000, "resamples": 1000},
        {"wildreid": lambda: draws.interval(values)}, aims={"seconds": ("<=", 5.0)},
    )  # fmt: skip
