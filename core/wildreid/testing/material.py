"""Small things to test with: a table with bursts, embeddings, evidence, a finished run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.artefacts import Evidence, Results
from wildreid.data.groups import annotate
from wildreid.data.table import PARTS, Table
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid.kinds import Metric
from wildreid.recipe.settings import Encounters

TINY_RECIPE = Path(__file__).parent / "tiny.yaml"
"""A recipe that runs in seconds on what `draw_photos` drew into the folder ``photos`` beside it."""


def tiny_table(
    root: Path = Path("photos"),
    *,
    individuals: int = 12,
    encounters: int = 4,
    burst: int = 3,
    dated: bool = True,
) -> Table:
    """A table with bursts: each individual on several days before two cameras, `burst` frames a time.

    The rows have ``sequence``, ``group`` and ``encounter``; the images are not there. The last individual has
    a single encounter.
    """
    rows = [
        {
            "image": f"who{who:02d}/{meeting}-{frame}.png",
            "identity": f"who{who:02d}",
            "camera": f"camera{(who + meeting) % 2}",
            "timestamp": pd.Timestamp("2024-06-01 08:00")
            + pd.Timedelta(days=meeting * 7 + who, seconds=frame * 5)
            if dated
            else pd.NaT,
        }
        for who in range(individuals)
        for meeting in range(1 if who == individuals - 1 else encounters)
        for frame in range(burst)
    ]
    table = Table.of(pd.DataFrame(rows), root)
    return annotate(table.with_rows(table.rows.sort_values("id")), Encounters(near_duplicates=False))


def with_parts(table: Table) -> Table:
    """The table with a third of the individuals in each part; no individual is in two."""
    individuals = sorted(table["identity"].unique())
    part = {who: PARTS[number % 3] for number, who in enumerate(individuals)}
    parts = table["identity"].map(part).astype("string")
    return table.with_rows(table.rows.assign(part=parts, role="both"))


def embeddings_of(table: Table, *, width: int = 16, noise: float = 0.6, seed: int = 0) -> NDArray[np.float32]:
    """(rows, width) unit-length embeddings: a direction an individual, another an encounter, and noise."""
    random = np.random.default_rng(seed)
    rows = np.zeros((len(table), width))
    for column, weight in (("identity", 1.0), ("encounter", 0.7)):
        codes = table[column].astype("category").cat.codes.to_numpy()
        rows += weight * random.normal(size=(codes.max() + 1, width))[codes]
    rows += noise * random.normal(size=rows.shape)
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def evidence_of(table: Table | None = None, *, protocol: str = "cross-encounter", seed: int = 0) -> Evidence:
    """What a metric is given, for the test part of a tiny table."""
    table = with_parts(tiny_table()) if table is None else table
    embeddings = embeddings_of(table, seed=seed)
    return Evidence(rank(embeddings, table, protocol=protocol), table, embeddings, None, seed)


def results_of(folder: Path, metrics: tuple[Metric, ...] = ()) -> Results:
    """What a reporter is given: a finished run whose images are coloured squares."""
    evidence = evidence_of()
    block = score(evidence, metrics, bootstrap=0, confidence=0.95, seed=0)
    scores = {
        "format": 1,
        "run": "tiny",
        "stamp": "sample",
        "seed": 0,
        "headline": "cross-encounter",
        "optimistic": None,
        "decision": {"reason": "a tiny run fits none"},
        "protocols": {"cross-encounter": block},
    }

    def read(row: int, longest: int) -> NDArray[np.uint8]:
        colour = np.random.default_rng(row).integers(0, 255, 3)
        return np.broadcast_to(colour, (longest, longest, 3)).astype(np.uint8)

    return Results(
        folder=folder,
        name="tiny",
        stamp="sample",
        recipe={"name": "tiny", "seed": 0, "private": False, "images": {"size": 64}},
        run={"name": "tiny", "versions": {}, "plugins": [], "machine": {}, "hashes": {}, "notes": []},
        table=evidence.table,
        embeddings=evidence.embeddings,
        rankings={"cross-encounter": evidence.ranking},
        scores=scores,
        history=(),
        decision=None,
        read=read,
    )
