"""When a match is believed: a threshold and a calibrated probability, fitted on validation alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import TIE, Decision, Missing
from wildreid.data.table import Table
from wildreid.evaluation.protocols import standing_in
from wildreid.evaluation.rank import rank
from wildreid.files import put_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats

UNKNOWN = 30
"""With fewer non-mated queries than this, unknowns are simulated."""
LEAST = 10
"""With fewer unknowns than this, simulated ones among them, nothing is fitted."""
ISOTONIC = 200
"""Encounters from which on the calibration is isotonic; below it a logistic curve overfits less."""


def fit_decision(
    embeddings: Floats, table: Table, *, protocol: str, false_accepts: float
) -> Decision | Missing:
    """Fit threshold and calibration on the val part; rows and labels of the test part are never looked at.

    The threshold is the smallest that accepts no more than the asked share of unknown queries. The
    probability that the first individual is right rises with its score: isotonic regression where there are
    enough encounters, else Platt's logistic curve with his smoothed targets (Platt 1999, "Probabilistic
    outputs for support vector machines"). An encounter weighs as much as any other, however many images a
    burst has. Unknown queries are the non-mated ones; where they are few, each mated query also serves as
    one, its own individual taken out of the gallery; the probability is then that of a stream in which half
    of the animals are new.

    Args:
        embeddings: (rows, width) float32 of unit length, one for each row of the table.
        table: has ``part`` and ``encounter``.
        protocol: of the run; without dates, where it cannot be used, image-loo.
        false_accepts: share of unknown queries that may be taken for known ones.

    Returns:
        The decision, or why there is none.
    """
    ranking = rank(embeddings, table, protocol=standing_in(table, protocol), part="val", keep=1)
    mated = ranking.mated
    if not mated.any():
        return Missing("no val query has an image to be matched to")
    encounters = pd.factorize(table["encounter"])[0][ranking.queries]
    scores, truths, whose = ranking.first_score, ranking.own_rank == 1, encounters
    unknown = scores[~mated]
    simulated = len(unknown) < UNKNOWN
    if simulated:
        without_own = ranking.impostor_score[mated]
        unknown = np.concatenate([unknown, without_own])
        scores = np.concatenate([scores, without_own])
        truths = np.concatenate([truths, np.zeros(len(without_own), dtype=bool)])
        whose = np.concatenate([whose, encounters[mated] + encounters.max() + 1])
    unknown = unknown[np.isfinite(unknown)]
    if len(unknown) < LEAST:
        return Missing(f"{len(unknown)} unknown val queries, simulated ones among them, are too few")
    scored = np.isfinite(scores)
    truths, whose = truths[scored], whose[scored]
    weights = 1 / np.bincount(whose)[whose]
    isotonic = len(np.unique(whose)) >= ISOTONIC and min(truths.sum(), (~truths).sum()) >= UNKNOWN
    knots, probabilities = (_isotonic if isotonic else _logistic)(
        scores[scored].astype(float), truths, weights
    )
    return Decision(
        threshold=threshold_for(unknown, false_accepts),
        target=false_accepts,
        method="isotonic" if isotonic else "logistic",
        scores=tuple(knots.tolist()),
        probabilities=tuple(probabilities.tolist()),
        gallery=(len(ranking.individuals), len(ranking.gallery)),
        queries=(int(mated.sum()), int((~mated).sum())),
        simulated=simulated,
        protocol=ranking.protocol,
    )


def threshold_for(unknown: NDArray[np.floating[Any]], false_accepts: float) -> float:
    """The smallest threshold that at most this share of the unknowns' scores reaches; ties reach it."""
    falling = np.sort(unknown.astype(float))[::-1]
    allowed = int(np.floor(false_accepts * len(falling) + 1e-9))
    return float(falling[allowed] + TIE) if allowed < len(falling) else -1.0


def _isotonic(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.isotonic import IsotonicRegression

    never = 1 / (weights.sum() + 2)  # so many encounters do not show that a mistake cannot be
    fitted = IsotonicRegression(y_min=never, y_max=1 - never)
    fitted.fit(scores, truths.astype(float), sample_weight=weights)
    return np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)


def _logistic(
    scores: NDArray[np.float64], truths: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Platt's curve, drawn at 201 knots; flat where the fitted slope is not upward."""
    from sklearn.linear_model import LogisticRegression

    yes, no = weights[truths].sum(), weights[~truths].sum()
    target = np.where(truths, (yes + 1) / (yes + 2), 1 / (no + 2))
    center, scale = scores.mean(), scores.std() or 1.0
    fitted = LogisticRegression(C=1e6).fit(
        np.tile((scores - center) / scale, 2)[:, None],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([weights * target, weights * (1 - target)]),
    )
    knots = np.linspace(-1, 1, 201)
    slope = max(float(fitted.coef_[0, 0]), 0.0)
    if slope == 0:
        return knots, np.full(len(knots), (yes + 1) / (yes + no + 2))
    logit = slope * (knots - center) / scale + float(fitted.intercept_[0])
    return knots, 1 / (1 + np.exp(-np.clip(logit, -50, 50)))


def save_decision(decision: Decision | Missing, path: Path) -> None:
    """Write ``decision.json``, whole or not at all; a missing decision is its reason."""
    text = json.dumps({"format": 1, **asdict(decision)}, indent=1) + "\n"
    put_text(path, text)


def load_decision(path: Path) -> Decision | Missing:
    """Read what `save_decision` wrote."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del value["format"]
    if "reason" in value:
        return Missing(**value)
    for name in ("scores", "probabilities", "gallery", "queries"):
        value[name] = tuple(value[name])
    return Decision(**value)
