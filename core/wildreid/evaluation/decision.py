"""When a match is believed: a threshold and a calibrated probability, fitted on validation alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from wildreid.artefacts import TIE, Combined, Decision, Evidence, Missing, Ranking
from wildreid.data.table import Table
from wildreid.evaluation.bursts import sample_of_bursts
from wildreid.evaluation.calibration import UNKNOWN, Curve, Sample, fit_curve
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.protocols import standing_in
from wildreid.evaluation.rank import rank
from wildreid.files import put, reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints

LEAST = 10
"""With fewer unknowns than this, simulated ones among them, nothing is fitted."""
PRIOR = 0.5
"""The share of encounters with new animals that a probability is meant for, by default."""
FALSE_NEW = 0.05
"""The share of known animals that may be called new, by default."""
RESAMPLES, CONFIDENCE = 1000, 0.95


def fit_decision(
    embeddings: Floats, table: Table, *, protocol: str, false_accepts: float, prior: float = PRIOR
) -> Decision | Missing:
    """Fit threshold and calibration on the val part; rows and labels of the test part are never looked at.

    Unknown queries are the non-mated ones. Besides, each mated query serves as one with its own individual
    taken out of the gallery; all of these simulated ones together count as `UNKNOWN` real ones do, so that they
    decide where there are few real ones, and hardly matter where there are many.

    The threshold is the smallest that accepts no more than the asked share of unknown queries. The probability
    that the first individual is right is that of a stream in which a share `prior` of the encounters is with
    new animals, whatever their share in val (see `fit_curve`); an encounter weighs as much as any other,
    however many images a burst has. Bursts of several images have a probability of their own, for the mean
    score over their images.

    Args:
        embeddings: (rows, width) float32 of unit length, one for each row of the table.
        table: has ``part`` and ``encounter``, and ``sequence`` where there are bursts.
        protocol: of the run; without dates, where it cannot be used, image-loo.
        false_accepts: share of unknown queries that may be taken for known ones.
        prior: share of encounters with new animals, above 0 and below 1.

    Returns:
        The decision, or why there is none.

    Raises:
        ValueError: the prior is no share.
    """
    if not 0 < prior < 1:
        raise ValueError(f"the prior is a share between 0 and 1, not {prior}")
    ranking = rank(embeddings, table, protocol=standing_in(table, protocol), part="val", keep=1)
    return decide(Evidence(ranking, table, embeddings), false_accepts=false_accepts, prior=prior)


def decide(
    evidence: Evidence,
    *,
    false_accepts: float,
    prior: float = PRIOR,
    scores_of: Callable[[Ints], NDArray[np.floating[Any]]] | None = None,
) -> Decision | Missing:
    """Fit threshold and calibration as `fit_decision` does, on a ranking of the val part that is at hand.

    Args:
        evidence: the ranking.
        false_accepts: as for `fit_decision`.
        prior: as for `fit_decision`.
        scores_of: what the ranking ranked by, as for `sample_of_bursts`; None: cosine similarities.
    """
    ranking = evidence.ranking
    if not ranking.mated.any():
        return Missing("no val query has an image to be matched to")
    images = Sample.of(
        ranking.first_score, ranking.own_rank == 1, ranking.impostor_score, ranking.mated, evidence.encounters
    )
    if images.unknowns < LEAST:
        return Missing(f"{images.unknowns} unknown val queries, simulated ones among them, are too few")
    curve = fit_curve(images, prior)
    bursts = sample_of_bursts(evidence, scores_of)
    enough = bursts is not None and min(len(bursts.known), bursts.unknowns) >= LEAST
    of_bursts = fit_curve(bursts, prior) if bursts is not None and enough else Curve.none()
    threshold = threshold_for(*images.unknown(by_encounter=False), false_accepts)
    return Decision(
        threshold=threshold,
        target=false_accepts,
        method=curve.method,
        scores=curve.scores,
        probabilities=curve.probabilities,
        gallery=(len(ranking.individuals), len(ranking.gallery)),
        queries=(int(ranking.mated.sum()), int((~ranking.mated).sum())),
        simulated=int((~ranking.mated).sum()) < UNKNOWN,
        protocol=ranking.protocol,
        prior=prior,
        burst_scores=of_bursts.scores,
        burst_probabilities=of_bursts.probabilities,
        accepts=_accepts(evidence, threshold),
        new_below=new_below(ranking, threshold, FALSE_NEW),
    )


def new_below(ranking: Ranking, threshold: float, false_new: float) -> float:
    """The score that this share of the known queries does not reach; at most the threshold."""
    scores = ranking.first_score[ranking.mated].astype(float)
    below = float(np.quantile(scores, false_new, method="lower")) if len(scores) else threshold
    return min(below, threshold)


def threshold_for(
    unknown: NDArray[np.floating[Any]], weights: NDArray[np.float64], false_accepts: float
) -> float:
    """The smallest threshold that at most this share of the unknowns' weight reaches; ties reach it."""
    order = np.argsort(-unknown.astype(float), kind="stable")
    falling = unknown.astype(float)[order]
    share = np.cumsum(weights[order]) / weights.sum()
    over = np.flatnonzero(share > false_accepts + 1e-9)
    return float(falling[over[0]] + TIE) if len(over) else -1.0


def _accepts(evidence: Evidence, threshold: float) -> tuple[float, float] | None:
    """The interval of the share of unknown animals that reach the threshold, by individual.

    Among simulated unknowns two animals that are alike are taken for one another both ways, so that two
    individuals say what one would say alone: the variance is twice that of individuals drawn apart.
    """
    ranking = evidence.ranking
    real = np.where(ranking.mated, np.nan, ranking.first_score >= threshold)
    simulated = np.where(ranking.mated, ranking.impostor_score >= threshold, np.nan)
    known = int((~ranking.mated).sum())
    weight = known / (known + UNKNOWN)
    values = Combined((real, simulated), lambda a, b: weight * a + (1 - weight) * b) if known else simulated
    found = Bootstrap(evidence.individuals, RESAMPLES, CONFIDENCE, evidence.seed).interval(values)
    if found is None:
        return None
    share = values.value if isinstance(values, Combined) else float(np.nanmean(values))
    widening = np.sqrt(2 - weight)
    low, high = (share + widening * (bound - share) for bound in found)
    return max(float(low), 0.0), min(float(high), 1.0)


def save_decision(decision: Decision | Missing, path: Path) -> None:
    """Write ``decision.json``, whole or not at all; a missing decision is its reason."""
    text = json.dumps({"format": 1, **asdict(decision)}, indent=1) + "\n"
    put(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def load_decision(path: Path) -> Decision | Missing:
    """Read what `save_decision` wrote, in this version or an earlier one.

    Raises:
        UserError: it is missing or damaged.
    """
    with reading(path, cure="make it again with `wildreid.evaluate(…)`"):
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        del value["format"]
        if "reason" in value:
            return Missing(**value)
        plain = {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
        return TypeAdapter(Decision).validate_python(plain)
