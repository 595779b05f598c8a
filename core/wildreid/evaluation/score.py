"""Every figure of one ranking, with its n, protocol, interval and, where it is null, the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from wildreid.apart import apart_of
from wildreid.artefacts import Combined, Evidence, Missing, Scores
from wildreid.data.apart import keep_apart
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.curves import curves
from wildreid.evaluation.intervals import Bootstrap, few
from wildreid.evaluation.protocols import label, optimistic, standing_in, usable
from wildreid.evaluation.rank import mated, rank
from wildreid.evaluation.slices import nearest, slices
from wildreid.kinds import Metric
from wildreid.progress import say
from wildreid.recipe.settings import Watched
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats

VALIDATED = [int(name.partition("@")[2]) for name in get_args(Watched) if name.startswith("accuracy@")]
SHOTS = [name for name in get_args(Watched) if name.endswith("-shot")]
QUICK = 1000
MONTH = 30
SATURATED = 0.95
"""Accuracy@1 of image-loo from which on it tells no models apart."""


def score(
    evidence: Evidence, metrics: Sequence[Metric | str], *, bootstrap: int, confidence: float, seed: int
) -> Scores:
    """One protocol's block of ``scores.json``.

    Where the protocol cannot be used on this table, every figure is null with that reason.

    Args:
        evidence: the ranking and what it was made from.
        metrics: what to measure; a name is that metric at its defaults.
        bootstrap: resamples of query individuals for the intervals; 0: none.
        confidence: of the intervals.
        seed: of the resamples.

    Raises:
        UserError: two metrics give a figure of one name.
    """
    ranking, table = evidence.ranking, evidence.table
    registry = Registry() if any(isinstance(metric, str) for metric in metrics) else None
    measured: list[Metric] = [
        registry.option(Metric, metric) if registry and isinstance(metric, str) else cast("Metric", metric)  # type: ignore[type-abstract]
        for metric in metrics
    ]
    part = _part(table, ranking.queries)
    reason = usable(table, ranking.protocol, part=part)
    intervals = Bootstrap(evidence.individuals, bootstrap, confidence, seed)
    figures: dict[str, Any] = {}
    for metric in measured:
        for name, value in metric.measure(evidence=evidence).items():
            if name in figures:
                raise UserError(f"two metrics give the figure '{name}'", where="metrics", cure="keep one")
            figures[name] = _figure(Missing(reason) if reason else value, evidence, intervals)
    closed = ranking.mated.all()
    if ranking.protocol == "image-loo" and (figures.get("accuracy@1", {}).get("value") or 0) >= SATURATED:
        why = "saturated: a neighbouring frame answers; compare by map and k-shot"
        figures["accuracy@1"]["note"] = "; ".join(filter(None, (figures["accuracy@1"]["note"], why)))
    return Scores(
        label=label(table, ranking.protocol, part=part),
        reason=reason,
        optimistic=optimistic(table, ranking.protocol, part=part),
        training_relation=_training_relation(table, ranking.queries),
        gallery_relation="closed" if closed else "open",
        part=part,
        counts=_counts(evidence),
        scores=figures,
        curves={} if reason else curves(evidence),
        slices=[] if reason else slices(evidence),
        probes={},
        beside={} if reason else beside(evidence, intervals),
    )


def beside(evidence: Evidence, intervals: Bootstrap) -> dict[str, Any]:
    """What stands beside the headline: the mean over individuals, matches a month apart, and chance.

    A query counts as a month apart where the nearest photo that it may be matched to is `MONTH` days or more away.
    Chance is the expected accuracy@1 of scores that mean nothing: the share of a query's valid gallery photos that
    show its own individual.
    """
    ranking = evidence.ranking
    right = (ranking.own_rank == 1).astype(float)
    days, _, own = nearest(evidence)
    far = np.where(ranking.mated & (days >= MONTH), right, np.nan)
    guess = np.where(ranking.mated, own / np.maximum(ranking.valid, 1), np.nan)
    found: dict[str, Any] = {
        "macro-accuracy@1": _figure(
            evidence.by_individual(ranking.own_rank <= 1, ranking.mated), evidence, intervals
        ),
        "accuracy@1, a month apart": _figure(far, evidence, intervals)
        if np.isfinite(far).any()
        else _figure(
            Missing(f"no photo has its nearest match {MONTH} days or more away"), evidence, intervals
        ),
    }
    if np.isfinite(guess).any():
        found["chance"] = {**_figure(float(np.nanmean(guess)), evidence, intervals), "n": None}
    return found


def _figure(
    value: float | NDArray[np.float64] | Combined | Missing, evidence: Evidence, intervals: Bootstrap
) -> dict[str, Any]:
    figure: dict[str, Any] = dict.fromkeys(("value", "low", "high", "n", "reason", "note"))
    if isinstance(value, Missing):
        return {**figure, "n": 0, "reason": value.reason}
    if not isinstance(value, np.ndarray | Combined):
        if not math.isfinite(value):
            return {**figure, "n": 0, "reason": "the figure is not a finite number"}
        return {**figure, "value": float(value), "n": len(evidence.ranking.queries)}
    parts = value.parts if isinstance(value, Combined) else (value,)
    counted = np.isfinite(np.stack(parts))
    if not counted.any(axis=1).all():
        return {**figure, "n": 0, "reason": _none_counts(evidence)}
    mean = value.value if isinstance(value, Combined) else float(value[counted[0]].mean())
    figure |= {"value": mean, "n": int(counted.any(axis=0).sum())}
    bounds = intervals.interval(value) if intervals.resamples else None
    individuals = min(len(np.unique(evidence.individuals[part])) for part in counted)
    if intervals.resamples:
        low, high = bounds or (None, None)
        note = few(individuals, intervals.effective(value))
        if low is not None and low == high:  # all that were asked agree; others would not
            low, high = None, None
            note = "; ".join(filter(None, [note, "all individuals agree, so that no interval can be given"]))
        figure["low"], figure["high"], figure["note"] = low, high, note or None
    return figure


def _none_counts(evidence: Evidence) -> str:
    """That no query counts, and which there were; a metric that knows why says so by `Missing`."""
    mated = int(evidence.ranking.mated.sum())
    if not mated:
        return "no query counts: none is mated"
    return f"no query counts, of {mated} mated and {len(evidence.ranking.queries) - mated} non-mated"


def _counts(evidence: Evidence) -> dict[str, int]:
    ranking, table = evidence.ranking, evidence.table
    mated_queries = int(ranking.mated.sum())
    gallery = table.rows.iloc[ranking.gallery]
    kept_apart = {}
    if apart_of(table.rows) is not None:
        bare = keep_apart(table, ())
        part = _part(table, ranking.queries)
        parts = sorted(set(gallery["part"].dropna()))
        unlike = mated(bare, ranking.protocol, part=part, gallery=parts)
        kept_apart = {"lost": int((unlike & ~ranking.mated).sum())}
    return {
        "gallery": len(ranking.gallery),
        "individuals": len(ranking.individuals),
        "encounters": int(gallery["encounter"].nunique()),
        "queries": len(ranking.queries),
        "mated": mated_queries,
        "non_mated": len(ranking.queries) - mated_queries,
        "masked": int(ranking.masked.sum()),
        "query_individuals": len(np.unique(evidence.individuals)),
        "query_encounters": len(np.unique(evidence.encounters)),
        **kept_apart,
    }


def _part(table: Table, queries: NDArray[np.int64]) -> str:
    return str(table["part"].iloc[queries[0]]) if len(queries) else "test"


def _training_relation(table: Table, queries: NDArray[np.int64]) -> str:
    trained = set(table.of_part("train")["identity"].dropna())
    asked = set(table["identity"].iloc[queries].fillna(""))
    if not trained:
        return "no training part"
    if not asked & trained:
        return "disjoint"
    return "seen" if asked <= trained else "seen and unseen"


def validator(
    table: Table, *, protocol: str, gallery: str = "val", watch: str = "accuracy@1"
) -> Callable[[Floats], dict[str, float]]:
    """A function from embeddings to the figures that may choose the weights; it never sees the test part.

    Where the protocol cannot be used, as without dates, another takes its place, and a line on standard
    error says so.

    Args:
        table: has ``part`` and ``encounter``.
        protocol: the protocol of validation.
        gallery: ``val`` matches val against itself, ``train`` against the training part.
        watch: the figure that chooses. Those of few shots take long where val is large, and are left out of more
            than `QUICK` queries unless they choose.

    Returns:
        A function of (rows, width) unit-length embeddings of the val rows, and with ``gallery="train"`` of
        the train rows too, in table order. Its figures are those that ``training.watch`` may name, over the
        mated val queries.

    Raises:
        UserError: the val part is empty, or no val query has an image that it may be matched to, so that
            nothing can be chosen by it.
    """
    sides = table.with_rows(table.of_part("train", "val") if gallery == "train" else table.of_part("val"))
    if not len(table.of_part("val")):
        raise UserError(
            "the validation part is empty, so nothing may choose the weights",
            where="splitter",
            cure="give the splitter a validation share; the test part never chooses",
        )
    chosen = standing_in(sides, protocol)
    if chosen != protocol:
        reason = usable(sides, protocol, part="val")
        hint = (
            "; training.gallery=train may have it" if protocol == "time-cutoff" and gallery == "val" else ""
        )
        say(f"validation is by {chosen} in place of {protocol}: {reason}{hint}")
    if not mated(sides, chosen, part="val", gallery=(gallery,)).any():
        raise UserError(
            f"no val image can be matched to another of its animal under {chosen}",
            where="training.protocol",
            cure="put more encounters into val, or validate by image-loo or against train",
        )

    def validate(embeddings: Floats) -> dict[str, float]:
        ranking = rank(embeddings, sides, protocol=chosen, part="val", gallery=(gallery,), keep=1)
        evidence, there = Evidence(ranking, sides, embeddings), ranking.mated
        ranks = ranking.own_rank[there]
        precision = ranking.mean_over_true(ranking.true_positions / ranking.true_ranks)
        figures = {f"accuracy@{k}": (ranks <= k).mean() for k in VALIDATED}
        figures |= {"mrr": (1 / ranks).mean(), "map": np.nanmean(precision)}
        figures["macro-accuracy@1"] = np.nanmean(evidence.by_individual(ranking.own_rank <= 1, there))
        figures["macro-map"] = np.nanmean(evidence.by_individual(precision, there))
        for name in SHOTS:
            if name == watch or len(ranks) <= QUICK:
                figures[name] = np.nanmean(evidence.few_shots(int(name.partition("-")[0])))
        return {name: float(figure) for name, figure in figures.items()}

    return validate
