"""Two or more runs side by side, their differences with intervals from the same resampled individuals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

from wildreid.artefacts import Combined, Evidence, Missing, Results
from wildreid.errors import UserError
from wildreid.evaluation.intervals import Bootstrap, bounds, few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.kinds import Metric

Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Figure:
    """One figure of one run, and how far it is from the first run's.

    Attributes:
        value: None where it could not be estimated.
        interval: by individual; None for a figure that is not computed from means over queries.
        difference: this run's less the first's; None for the first run, or where either is missing.
        difference_interval: of the difference.
    """

    value: float | None
    interval: Bounds = None
    difference: float | None = None
    difference_interval: Bounds = None

    @property
    def within_noise(self) -> bool | None:
        """Whether the interval of the difference holds zero; None where there is no such interval."""
        if self.difference_interval is None:
            return None
        low, high = self.difference_interval
        return low <= 0 <= high


@dataclass(frozen=True)
class Comparison:
    """Figures of several runs under one protocol.

    Attributes:
        protocol: in words; of each run where they differ.
        runs: their names.
        figures: by the figure's name, one for each run.
        paired: whether the differences are over the same queries, resampled alike.
        confidence: of the intervals.
        queries: of each run.
        notes: what must be known before the figures are believed, such as that they are optimistic.
        stamps: of each run, such as ``sample``; often empty.
    """

    protocol: str
    runs: tuple[str, ...]
    figures: dict[str, tuple[Figure, ...]]
    paired: bool
    confidence: float
    queries: tuple[int, ...]
    notes: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()

    def __rich__(self) -> RichTable:
        counts = ", ".join(f"{n}" for n in dict.fromkeys(self.queries))
        how = "paired by individual" if self.paired else "not paired: the test parts differ"
        notes = "".join(f"\n! {note}" for note in self.notes)
        table = RichTable(
            title=f"{self.protocol} · {counts} queries",
            caption=f"differences with {self.confidence:.0%} intervals, {how}; noise: within it{notes}",
            box=SIMPLE_HEAD,
        )
        table.add_column("figure", no_wrap=True)
        for run, stamp in zip(self.runs, self.stamps or ("",) * len(self.runs), strict=True):
            table.add_column(f"{run} \\[{stamp}]" if stamp else run, justify="right")
        for run in self.runs[1:]:
            table.add_column(f"{run} − {self.runs[0]}", min_width=23)
            table.add_column("", style="dim", no_wrap=True)
        for name, figures in self.figures.items():
            row = [_number(figure.value) for figure in figures]
            for figure in figures[1:]:
                row += [_difference(figure), "noise" if figure.within_noise else ""]
            table.add_row(name, *row)
        return table


def compare(
    runs: Sequence[Results],
    metrics: Sequence[Metric],
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    anyway: bool = False,
) -> Comparison:
    """Compare runs under the headline protocol, each with the first.

    Where the headline cannot be had, as without dates, it is the next protocol that can.

    Over one test part the differences are paired: both runs' figures come from the same resampled
    individuals, so that what is hard for both does not widen the interval.

    Args:
        runs: finished runs; two at least.
        metrics: what to measure.
        resamples: of query individuals.
        confidence: of the intervals.
        seed: of the resamples.
        anyway: also compare runs of different test parts or protocols, without pairing.

    Raises:
        UserError: fewer than two runs; different test parts or protocols, and not `anyway`.
    """
    if len(runs) < 2:
        raise UserError("a comparison needs at least two runs", cure="name two")
    evidences = [_evidence(run) for run in runs]
    differing = _differing(runs, evidences)
    if differing and not anyway:
        raise UserError(
            f"{differing}; a difference between their figures says nothing about the models",
            cure="evaluate both on one split and protocol, or give `anyway=True`",
        )
    figures: dict[str, tuple[Figure, ...]] = {}
    measured = [_measure(evidence, metrics) for evidence in evidences]
    draws = [
        Bootstrap(evidence.individuals[order], resamples, confidence, seed if not differing else seed + at)
        for at, (evidence, order) in enumerate(zip(evidences, map(_order, evidences), strict=True))
    ]
    for name in measured[0]:
        if all(name in figures_of for figures_of in measured):
            values = [figures_of[name] for figures_of in measured]
            figures[name] = tuple(_figures(values, draws, confidence))
    labels = [str(run.scores["protocols"][_protocol(run)]["label"]) for run in runs]
    return Comparison(
        protocol=" | ".join(dict.fromkeys(labels)),
        runs=tuple(run.name for run in runs),
        figures=figures,
        paired=not differing,
        confidence=confidence,
        queries=tuple(len(evidence.ranking.queries) for evidence in evidences),
        notes=tuple(_notes(runs, evidences)),
        stamps=tuple(run.stamp for run in runs),
    )


def _notes(runs: Sequence[Results], evidences: Sequence[Evidence]) -> Iterator[str]:
    for run in runs:
        if why := run.scores["protocols"][_protocol(run)]["optimistic"]:
            yield f"{run.name} is optimistic: {why}"
    asked = min((evidence.individuals for evidence in evidences), key=lambda them: len(np.unique(them)))
    everyone = Bootstrap(asked, 0, 0.95, 0).effective(np.ones(len(asked)))
    if note := few(len(np.unique(asked)), everyone):
        yield note


def _protocol(run: Results) -> str:
    blocks = run.scores["protocols"]
    usable = (name for name in (run.scores["headline"], *blocks) if not blocks[name]["reason"])
    return str(next(usable, run.scores["headline"]))


def _evidence(run: Results) -> Evidence:
    return Evidence(run.rankings[_protocol(run)], run.table, run.embeddings, run.decision, run.scores["seed"])


def _differing(runs: Sequence[Results], evidences: Sequence[Evidence]) -> str:
    """What keeps the runs from being compared; empty where nothing does."""
    protocols = dict.fromkeys(map(_protocol, runs))
    if len(protocols) > 1:
        return f"the runs have different protocols ({', '.join(protocols)})"
    first = _sides(evidences[0])
    for run, evidence in zip(runs[1:], evidences[1:], strict=True):
        if _sides(evidence) != first:
            return f"the runs {runs[0].name} and {run.name} have different test parts"
    return ""


def _sides(evidence: Evidence) -> tuple[Any, ...]:
    """All that says who is asked and who may answer, whatever the order of the rows."""
    rows = evidence.table.rows[["id", "identity", "encounter"]].fillna("")
    sides = (rows.iloc[evidence.ranking.queries], rows.iloc[evidence.ranking.gallery])
    return tuple(tuple(sorted(side.itertuples(index=False, name=None))) for side in sides)


def _order(evidence: Evidence) -> NDArray[np.intp]:
    """Places of the queries in the order of their ids."""
    return np.argsort(evidence.table["id"].iloc[evidence.ranking.queries].to_numpy(dtype=str))


def _measure(evidence: Evidence, metrics: Sequence[Metric]) -> dict[str, float | Combined | None]:
    """Every figure; values by query in the order of their ids."""
    order = _order(evidence)
    found: dict[str, float | Combined | None] = {}
    for metric in metrics:
        for name, value in metric.measure(evidence=evidence).items():
            if isinstance(value, np.ndarray):
                value = Combined((value,), lambda mean: mean)
            if isinstance(value, Combined):
                ordered = replace(value, parts=tuple(part[order] for part in value.parts))
                found[name] = ordered if np.isfinite(ordered.value) else None
            else:
                found[name] = None if isinstance(value, Missing) else value
    return found


def _figures(
    values: Sequence[float | Combined | None], draws: Sequence[Bootstrap], confidence: float
) -> list[Figure]:
    means = [value.value if isinstance(value, Combined) else value for value in values]
    drawn = [
        draw.figures(value) if isinstance(value, Combined) else None
        for value, draw in zip(values, draws, strict=True)
    ]
    many = [
        draw.effective(value) if isinstance(value, Combined) else 0.0
        for value, draw in zip(values, draws, strict=True)
    ]
    found = []
    for at, (mean, sample) in enumerate(zip(means, drawn, strict=True)):
        interval = None if sample is None else bounds(sample, confidence, many[at])
        difference = spread = None
        if at and mean is not None and means[0] is not None:
            difference = mean - means[0]
            if sample is not None and drawn[0] is not None:
                spread = bounds(sample - drawn[0], confidence, min(many[at], many[0]))
        found.append(Figure(mean, interval, difference, spread))
    return found


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _difference(figure: Figure) -> str:
    if figure.difference is None:
        return "–"
    between = ""
    if figure.difference_interval is not None:
        low, high = figure.difference_interval
        between = f" \\[{_rounded(low):.3f}, {_rounded(high):.3f}]"
    return f"{_rounded(figure.difference):+.3f}{between}"


def _rounded(value: float) -> float:
    """To three digits, without a minus before a zero."""
    return round(value, 3) + 0.0
