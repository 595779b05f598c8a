"""From embeddings to ``scores.json``: rank under each protocol, decide on val, measure on test, probe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wildreid.artefacts import Decision, Evidence, Missing, Ranking
from wildreid.data.store import ImageStore
from wildreid.data.table import Table
from wildreid.evaluation.decision import fit_decision, save_decision
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.probes import probes
from wildreid.evaluation.protocols import usable
from wildreid.evaluation.rank import load_ranking, rank, save_ranking
from wildreid.evaluation.score import score
from wildreid.files import write_json
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.learn import seeing
from wildreid.pipeline.provenance import hash_of, hash_of_rows
from wildreid.pipeline.shortcut import measure_shortcut
from wildreid.recipe import Loaded


def measure(
    loaded: Loaded,
    table: Table,
    images: ImageStore,
    folder: RunFolder,
    weights: str,
    *,
    device: str,
    leaks: bool,
) -> None:
    """Write the rankings, ``decision.json`` and ``scores.json`` of a trained and embedded run.

    Args:
        loaded: the recipe.
        table: the split table.
        images: its pixels, for the probes.
        folder: of the run; its embeddings are there.
        weights: hash of the model, by which an unchanged ranking is known.
        device: that the probes embed on.
        leaks: whether the split leaks, which then stands beside every figure.
    """
    recipe, settings = loaded.recipe, loaded.recipe.evaluation
    headline = settings.protocols[0]
    embeddings = np.load(folder.embeddings, mmap_mode="r")
    fitted: dict[str, Decision | Missing] = {}
    blocks: dict[str, Any] = {}
    told = False
    for protocol in settings.protocols:
        key = hash_of(weights, hash_of_rows(table.rows), protocol, settings.keep)
        make = partial(rank, embeddings, table, protocol=protocol, keep=settings.keep)
        ranking = _ranked(folder, folder.ranking(protocol, headline), f"rank {protocol}", key, make)
        decision = fitted[protocol] = fit_decision(
            embeddings,
            table,
            protocol=protocol,
            false_accepts=settings.false_accepts,
            prior=settings.prior,
        )
        known = decision if isinstance(decision, Decision) else None
        evidence = Evidence(ranking, table, embeddings, known, recipe.seed)
        block = score(
            evidence,
            recipe.metrics,
            bootstrap=settings.bootstrap,
            confidence=settings.confidence,
            seed=recipe.seed,
        )
        if settings.probes and protocol == headline and block["reason"] is None:
            intervals = Bootstrap(evidence.individuals, settings.bootstrap, settings.confidence, recipe.seed)
            see = seeing(folder, loaded.registry, device)
            block["probes"] = probes(evidence, images, see, margin=recipe.images.margin, intervals=intervals)
        if block["reason"] is None and not told:  # under the first protocol that can be used
            told = True
            measure_shortcut(loaded, evidence, images, folder, weights, device=device)
        if leaks:
            block["optimistic"] = "; ".join(filter(None, ("the split leaks", block["optimistic"])))
        blocks[protocol] = block
    decision = fitted[headline]
    save_decision(decision, folder.decision)
    write_json(
        folder.scores,
        {
            "format": 1,
            "run": recipe.name,
            "stamp": recipe.stamp,
            "seed": recipe.seed,
            "headline": headline,
            "optimistic": blocks[headline]["optimistic"] or usable(table, headline),
            "decision": {"reason": decision.reason} if isinstance(decision, Missing) else vars(decision),
            "protocols": blocks,
        },
    )


def _ranked(folder: RunFolder, file: Path, stage: str, key: str, make: Callable[[], Ranking]) -> Ranking:
    """The ranking in a run's file, or made and written there."""
    if folder.done(stage, key, file):
        return load_ranking(file)
    ranking = make()
    save_ranking(ranking, file)
    folder.record(stage, key)
    return ranking
