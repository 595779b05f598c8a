"""The stages from embeddings to a report.

Each function prepares a stage for a number of images and returns the work, which alone is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from made.drawn_run import results
from made.tables import simulated

from wildreid.artefacts import Evidence
from wildreid.data.table import Table
from wildreid.evaluation.decision import fit_decision
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid_plugins.metrics import wildreid_metrics
from wildreid_plugins.reporters.html import Html

Work = Callable[[], object]
WIDTH = 64
"""Numbers in an embedding."""


def asked(count: int, part: str = "test") -> tuple[Table, np.ndarray]:
    """`count` queries of a hundred animals, against the first ten images of each: one gallery for all sizes."""
    made, embeddings = simulated(
        individuals=100, encounters=count // 500, burst=5, noise=2.0, encounter=1.0, width=WIDTH, part=part
    )
    within = np.arange(count) % (count // 100)
    made.rows["role"] = np.where(within < 10, "both", "query")
    return made, embeddings


def evidence(count: int) -> Evidence:
    """A ranking of `asked`, with a decision that is fitted on the same images: only the time counts here."""
    made, embeddings = asked(count)
    validation, _ = asked(1000, "val")
    decision = fit_decision(asked(1000, "val")[1], validation, protocol="cross-encounter", false_accepts=0.05)
    ranking = rank(embeddings, made, protocol="cross-encounter")
    return Evidence(ranking, made, embeddings, decision, 0)  # type: ignore[arg-type]


def ranking(count: int, folder: str) -> Work:
    made, embeddings = simulated(
        individuals=count // 20, encounters=4, burst=5, noise=2.0, encounter=1.0, width=WIDTH
    )
    return lambda: rank(embeddings, made, protocol="cross-encounter")


def ranking_a_block(count: int, folder: str) -> Work:
    made, embeddings = simulated(
        individuals=count // 20, encounters=4, burst=5, noise=2.0, encounter=1.0, width=WIDTH
    )
    made.rows["role"] = np.where(np.arange(count) % (count // 500) == 0, "both", "gallery")
    few, vectors = simulated(individuals=2, encounters=2, burst=2, width=WIDTH)
    rank(vectors, few, protocol="cross-encounter")  # compiled, or read from the disk, before the clock starts
    return lambda: rank(embeddings, made, protocol="cross-encounter")


def metrics(count: int, folder: str) -> Work:
    made = evidence(count)
    every = [metric() for metric in wildreid_metrics()]
    return lambda: score(made, every, bootstrap=0, confidence=0.95, seed=0)


def decision(count: int, folder: str) -> Work:
    made, embeddings = asked(count, "val")
    return lambda: fit_decision(embeddings, made, protocol="cross-encounter", false_accepts=0.05)


def bootstrap(count: int, folder: str) -> Work:
    random = np.random.default_rng(0)
    values, who = (random.random(count) < 0.7).astype(float), random.integers(0, count // 10, count)
    return lambda: Bootstrap(who, 1000, 0.95, 0).interval(values)


def report(count: int, folder: str) -> Work:
    run = results(
        Path(folder) / f"run {count}", individuals=count // 30, unknowns=0, encounters=6, burst=5, noise=0.9
    )
    return lambda: Html(umap=False).write(results=run, folder=Path(folder) / f"report {count}")
