"""A finished run made by hand: drawn animals in bursts on several cameras, some without a match."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wildreid.artefacts import Evidence, Missing, Results
from wildreid.data.table import Table
from wildreid.evaluation.decision import fit_decision
from wildreid.evaluation.protocols import usable
from wildreid.evaluation.rank import rank
from wildreid.evaluation.score import score
from wildreid_plugins.metrics import wildreid_metrics

KEEP = 10
PARTS = ("test", "val", "train")
PROTOCOLS = ("cross-encounter", "image-loo")


def results(
    folder: Path,
    *,
    individuals: int = 12,
    unknowns: int = 6,
    encounters: int = 6,
    burst: int = 3,
    dated: bool = True,
    names: dict[int, str] | None = None,
    cameras: tuple[str, ...] = ("North Creek", "Old Mill", "Ridge"),
    private: bool = False,
    stamp: str = "sample",
    noise: float = 0.55,
    seed: int = 0,
) -> Results:
    """A run over `individuals` met several times and `unknowns` met once, each encounter a burst of photos.

    The encounters go to test, val and train in turn, so that an individual met six times is twice in each.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    rows, vectors = [], []
    for who in range(individuals + unknowns):
        own = rng.normal(size=32)
        lone = who >= individuals
        for encounter in range(1 if lone else encounters):
            place = cameras[(who + encounter) % len(cameras)]
            start = pd.Timestamp("2023-05-01 06:00") + pd.Timedelta(days=9 * encounter + who % 7, minutes=who)
            scene = own + noise * 1.4 * rng.normal(size=32)
            for shot in range(burst):
                rows.append(
                    {
                        "image": f"{place}/IMG_{who:03d}_{encounter}_{shot}.jpg",
                        "identity": (names or {}).get(who, f"bear {who:03d}"),
                        "camera": place,
                        "timestamp": start + pd.Timedelta(seconds=5 * shot) if dated else pd.NaT,
                        "group": f"{place}|{start:%Y-%m-%d}" if dated else place,
                        "encounter": f"{who}|{place}|{start:%Y-%m-%d}" if dated else f"{who}|{place}",
                        "part": PARTS[(who if lone else encounter) % len(PARTS)],
                        "role": "both",
                    }
                )
                vectors.append(scene + 0.25 * noise * rng.normal(size=32))
    embeddings = np.array(vectors, dtype=np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    table = Table.of(pd.DataFrame(rows), Path("/home/jane/secret place/photos"))
    rankings = {name: rank(embeddings, table, protocol=name, keep=KEEP) for name in PROTOCOLS}
    fitted = fit_decision(embeddings, table, protocol=PROTOCOLS[0], false_accepts=0.05)
    decision = None if isinstance(fitted, Missing) else fitted
    scores = {
        "format": 1,
        "run": "drawn",
        "stamp": stamp,
        "seed": seed,
        "headline": PROTOCOLS[0],
        "optimistic": usable(table, PROTOCOLS[0]),
        "decision": {"reason": fitted.reason} if isinstance(fitted, Missing) else vars(fitted),
        "protocols": {
            name: score(
                Evidence(ranking, table, embeddings, decision, seed),
                [metric() for metric in wildreid_metrics()],
                bootstrap=100,
                confidence=0.95,
                seed=seed,
            )
            for name, ranking in rankings.items()
        },
    }
    return Results(
        folder=folder,
        name="drawn",
        stamp=stamp,
        recipe=recipe(private),
        run=provenance(),
        table=table,
        embeddings=embeddings,
        rankings=rankings,
        scores=scores,
        history=tuple(
            {
                "epoch": n,
                "loss": 3 / n,
                "accuracy@1": 1 - 1 / (n + 1),
                "accuracy@5": 1 - 1 / (3 * n + 1),
                "rate/backbone.stem": 1e-4 / n,
                "rate/backbone.head": 1e-4 / n,
                "rate/head": 1e-3 / n,
            }
            for n in range(1, 13)
        ),
        decision=decision,
        read=draw(table),
    )


def draw(table: Table) -> Callable[[int, int], np.ndarray]:
    """A reader of drawn animals: a face whose colours and marks depend on the identity, noise on the row."""

    def read(row: int, longest: int) -> np.ndarray:
        name = str(table["identity"][row])
        own, shot = np.random.default_rng(sum(map(ord, name)) * 977), np.random.default_rng(row)
        height, width = longest * 3 // 4, longest
        image = np.full((height, width, 3), own.integers(60, 190, 3), np.float64)
        y, x = np.mgrid[:height, :width] / longest
        for _ in range(9):
            at, radius = own.random(2) * (0.75, 1), 0.03 + 0.12 * own.random()
            image[(y - at[0]) ** 2 + (x - at[1]) ** 2 < radius**2] = own.integers(0, 255, 3)
        image = image * (0.6 + 0.6 * shot.random()) + shot.normal(0, 9, image.shape)
        return image.clip(0, 255).astype(np.uint8)

    return read


def recipe(private: bool) -> dict[str, Any]:
    """A resolved recipe with things in it that a page must not tell."""
    return {
        "name": "drawn",
        "about": "Drawn animals from Old Mill, kept in /srv/archive/bears.",
        "private": private,
        "dataset": {
            "name": "camera-trap",
            "root": "/home/jane/secret place/photos",
            "shift": {"North Creek": 3600, "Hidden Valley": 60},
        },
        "loss": {"name": "arcface", "margin": 0.5},
        "evaluation": {"confidence": 0.95, "protocols": ["cross-encounter", "image-loo"]},
    }


def provenance() -> dict[str, Any]:
    """A ``run.json`` with things in it that a page must not tell."""
    return {
        "seed": 0,
        "recipe_file": "/home/jane/recipes/bears.yaml",
        "root": "/home/jane/secret place/photos",
        "hashes": {"inputs": "c0ffee"},
        "versions": {"python": "3.11", "wildreid": "0.1.0", "torch": "2.15.0"},
        "plugins": [
            {
                "plugin": "builtin",
                "place": "/opt/site-packages/wildreid_plugins/__init__.py",
                "version": "0.1.0",
            }
        ],
        "machine": {"processor": "two cores", "hostname": "janes-laptop", "gps_lat": 51.50735},
    }


def frames(run: Results, *, epochs: int = 5) -> None:
    """Pictures of the val embeddings after each epoch, as training writes them: noise that comes to order."""
    folder = run.folder / "umap"
    folder.mkdir()
    val = run.table.of_part("val")
    rng = np.random.default_rng(0)
    start, goals = rng.normal(size=(len(val), 2)), 3 * rng.normal(size=(len(run.table), 2))
    goal = goals[pd.factorize(val["identity"])[0]]
    for n in range(1, epochs + 1):
        share = n / epochs
        frame = {"epoch": n, "ids": val["id"].tolist(), "xy": (start * (1.1 - share) + goal * share).tolist()}
        (folder / f"epoch-{n:04d}.json").write_text(json.dumps(frame))
