"""From runs of several seeds to the rows of the accuracy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.published import BEARID
from benchmarks.record import Record
from benchmarks.trials import SEEDS, Trial, pooled, traced
from numpy.typing import NDArray

from wildreid.artefacts import Evidence, Results
from wildreid.evaluation.intervals import Bootstrap, bounds
from wildreid.evaluation.rank import rank
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK

KS = (1, 3, 5, 10)
RESAMPLES = 2000
HEADLINE, LOO, FIXED = "cross-encounter", "image-loo", "fixed-gallery"
UNMASKED = "train as gallery, nothing masked"
"""No protocol of ours, but of many tables: train and val may answer, the next frame of the query's burst too."""
SAYS = {HEADLINE: "headline", LOO: "optimistic", FIXED: "train and val are the gallery"}
PHOTOS = "BearID's photos and heads of brown bears, beside what is published"


@dataclass(frozen=True)
class Answers:
    """Which queries of several runs found their individual, under one protocol.

    Attributes:
        names: (Q,) each query's individual; an individual that several runs test is one and the same.
        hits: for each k, (Q,) 1 or 0, NaN where the query has no match in the gallery.
        runs: (Q,) the number of the run.
    """

    names: NDArray[np.object_]
    hits: Mapping[int, NDArray[np.float64]]
    runs: NDArray[np.intp]

    @classmethod
    def of(cls, runs: Sequence[Results], protocol: str) -> Answers:
        """The queries of all runs, one after the other, in the order of their ids.

        Args:
            runs: of one trial.
            protocol: one of the recipe's, or `UNMASKED`.
        """
        names, hits, numbers = [], [], []
        for number, run in enumerate(runs):
            if protocol == UNMASKED:
                ranking = rank(run.embeddings, run.table, protocol="image-loo", gallery=("train", "val"))
            else:
                ranking = run.rankings[protocol]
            evidence = Evidence(ranking, run.table, run.embeddings, None)
            order = evidence.known
            asked = run.table["identity"].iloc[evidence.ranking.queries].to_numpy(dtype=object)
            found = AccuracyAtK(k=KS).measure(evidence=evidence)
            names.append(asked[order])
            hits.append([np.asarray(found[f"accuracy@{k}"])[order] for k in KS])
            numbers.append(np.full(len(order), number))
        together = np.concatenate(hits, axis=1)
        return cls(np.concatenate(names), dict(zip(KS, together, strict=True)), np.concatenate(numbers))

    @property
    def n(self) -> int:
        """Mated queries of all runs."""
        return int(np.isfinite(self.hits[KS[0]]).sum())

    @property
    def individuals(self) -> int:
        """Individuals that have mated queries."""
        return len(set(self.names[np.isfinite(self.hits[KS[0]])]))

    def figure(self, k: int) -> dict[str, float]:
        """Accuracy@k over all runs' queries, with its interval by individual."""
        low, high = bounds(self._drawn(k), 0.95, self._effective(k)) or (np.nan, np.nan)
        return {"value": float(np.nanmean(self.hits[k])), "low": low, "high": high}

    def each(self, k: int) -> list[float]:
        """Accuracy@k of each run alone."""
        return [float(np.nanmean(self.hits[k][self.runs == run])) for run in np.unique(self.runs)]

    def less(self, other: Answers, k: int) -> dict[str, float]:
        """How much more this is than `other`, both from the same resampled individuals.

        Raises:
            ValueError: the two do not ask the same queries.
        """
        if not np.array_equal(self.names, other.names):
            raise ValueError("the two sides ask different queries")
        low, high = bounds(self._drawn(k) - other._drawn(k), 0.95, self._effective(k)) or (np.nan, np.nan)
        return {"value": self.figure(k)["value"] - other.figure(k)["value"], "low": low, "high": high}

    @property
    def _bootstrap(self) -> Bootstrap:
        return Bootstrap(pd.factorize(self.names, sort=True)[0], RESAMPLES, 0.95, 0)

    def _drawn(self, k: int) -> NDArray[np.float64]:
        return self._bootstrap.means(self.hits[k])

    def _effective(self, k: int) -> float:
        return self._bootstrap.effective(self.hits[k])


def trained(record: Record, trials: Mapping[Any, Trial], seeds: Sequence[int]) -> dict[Any, list[Results]]:
    """The runs of all trials, with where they come from in the JSON."""
    found: dict[Any, list[Results]] = {}
    record.benchmark.pedantic(
        lambda: found.update({name: pooled(trial, seeds) for name, trial in trials.items()}), rounds=1
    )
    record.benchmark.extra_info["runs"] = [one for runs in found.values() for one in traced(runs)]
    return found


def cells(answers: Answers, says: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Accuracy at every k with its interval, and what it was counted over."""
    figures: dict[str, Any] = {f"accuracy@{k}": answers.figure(k) for k in KS}
    figures["accuracy@1"]["says"] = says
    spread = answers.each(1)
    if len(spread) > 1:
        figures["by seed"] = " ".join(f"{value:.2f}" for value in spread)
    return {
        **figures, "queries": answers.n, "individuals": answers.individuals,
        "seeds": ", ".join(map(str, seeds)),
    }  # fmt: skip


def compared(
    record: Record,
    table: str,
    by: str,
    runs: dict[Any, list[Results]],
    first: str,
    row: dict[str, Any],
    seeds: Sequence[int],
) -> None:
    """A row for each, with its paired difference from the first."""
    reference = Answers.of(runs[first], HEADLINE)
    for name, its in runs.items():
        answers = Answers.of(its, HEADLINE)
        best = [max(line["accuracy@1"] for line in run.history) for run in its]
        figures = cells(answers, SAYS[HEADLINE], seeds)
        figures["image-loo, optimistic"] = Answers.of(its, LOO).figure(1)
        figures["validation, mean"] = float(np.mean(best))
        figures[f"less {first}"] = answers.less(reference, 1) if name != first else None
        record.row(table, {**row, by: name}, figures=figures, plot="accuracy@1")


def measured(
    record: Record, row: dict[str, Any], trial: Trial, root: Path | None, given: str, large: bool
) -> None:
    """Rows of what was measured here, by protocol; or why nothing was."""
    if root is None or not large:
        why = f"no photos: give {given}" if root is None else "on a GPU, or with --large"
        record.missing(PHOTOS, {**row, "protocol": ""}, f"not measured here: {why}")
        return
    (runs,) = trained(record, {trial.name: trial.at(root)}, SEEDS[:1]).values()
    for protocol in (LOO, FIXED, HEADLINE):
        answers = Answers.of(runs, protocol)
        if answers.n:
            figures = {
                **cells(answers, "measured here", SEEDS[:1]),
                "said by": f"run {runs[0].folder.name}",
            }
            record.row(PHOTOS, {**row, "protocol": protocol}, figures=figures, plot="accuracy@1")


def published(record: Record) -> None:
    """A row for each published figure, its cells as printed, divided by a hundred."""
    for one in BEARID:
        figures: dict[str, Any] = {
            f"accuracy@{k}": {"value": value / 100, "says": "published"} for k, value in one.accuracy.items()
        }
        figures["said by"] = "; ".join(filter(None, (one.source, one.note)))
        row = {"data": "BearID", "model": one.model, "split": one.split, "protocol": LOO}
        record.row(PHOTOS, row, figures=figures, plot="accuracy@1")
