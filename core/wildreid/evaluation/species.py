"""Scores of each species of a table apart, as if there were no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.apart import apart_of
from wildreid.artefacts import Decision, Evidence
from wildreid.data.apart import SPECIES
from wildreid.data.table import Table
from wildreid.evaluation.decision import fit_decision
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid.recipe.model import Measurement

if TYPE_CHECKING:
    from wildreid.artefacts import Floats


def species_of(table: Table) -> list[str]:
    """The species that are kept apart, sorted; empty where there are not two."""
    if SPECIES not in table.rows or apart_of(table.rows[[SPECIES]]) is None:
        return []
    return sorted(table[SPECIES].dropna().unique().tolist())


def by_species(embeddings: Floats, table: Table, recipe: Measurement, protocol: str) -> dict[str, Any]:
    """The scores of each species under one protocol: those of its rows alone, its rule fitted on its own val.

    Args:
        embeddings: (rows, width) of unit length.
        table: the split table.
        recipe: says what is measured.
        protocol: the protocol's name.

    Returns:
        By species ``label``, ``counts``, ``scores`` and ``reason``, as `score` gives them; empty where the table
        does not have two species.
    """
    found = {}
    for name in species_of(table):
        rows = np.flatnonzero(table[SPECIES].eq(name).to_numpy(bool, na_value=False))
        own, vectors = table.with_rows(table.rows.iloc[rows]), np.asarray(embeddings[rows])
        settings = recipe.evaluation
        decision = fit_decision(
            vectors, own, protocol=protocol, false_accepts=settings.false_accepts, prior=settings.prior
        )
        ranking = rank(vectors, own, protocol=protocol, keep=settings.keep)
        known = decision if isinstance(decision, Decision) else None
        block = score(
            Evidence(ranking, own, vectors, known, recipe.seed),
            recipe.metrics,
            bootstrap=settings.bootstrap,
            confidence=settings.confidence,
            seed=recipe.seed,
        )
        found[name] = {key: block[key] for key in ("label", "counts", "scores", "reason")}
    return found
