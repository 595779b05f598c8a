"""The plots: accuracy against k, known against new, calibration, training and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from wildreid.page import Series, bars, line
from wildreid_plugins.reporters.html.view import UNKNOWN, View

MOST_K = 20


def accuracy(view: View) -> Markup:
    """Share of queries whose own individual is among the first k, for each protocol, with intervals."""
    series = []
    for protocol, ranking in view.results.rankings.items():
        ranks = ranking.own_rank[ranking.mated]
        if not len(ranks):
            continue
        ks = list(range(1, max(2, min(MOST_K, len(ranking.individuals))) + 1))
        scores = view.scores["protocols"][protocol]["scores"]
        measured = [scores.get(f"accuracy@{k}", {}) for k in ks]
        series.append(
            Series(
                protocol,
                ks,
                [float((ranks <= k).mean()) for k in ks],
                low=[score.get("low") for score in measured],
                high=[score.get("high") for score in measured],
                points=True,
            )
        )
    return line(
        series,
        title="Share of photos whose own individual is among the first k",
        x="k: how many individuals one looks at",
        y="right one among them, %",
        y_range=(0, 1),
        percent=True,
    )


def open_set(view: View) -> Markup | None:
    """Known individuals found against new ones taken for known, over all thresholds; None: not measured."""
    curve = view.block.get("curves", {}).get("dir_fpir") or {}
    if not curve.get("fpir"):
        return None
    order = np.argsort(curve["fpir"], kind="stable")
    chosen = view.block["scores"].get("fpir", {}).get("value")
    return line(
        [Series("", np.array(curve["fpir"])[order].tolist(), np.array(curve["dir1"])[order].tolist())],
        title="Known individuals found and named right, against new individuals taken for known ones",
        x="new individuals taken for known ones, %",
        y="known ones found, %",
        x_range=(0, 1),
        y_range=(0, 1),
        mark=chosen,
        percent=True,
    )


def reliability(view: View) -> Markup | None:
    """How often the first individual is right, against the probability that was given; None: no calibration."""
    ranking, decision = view.ranking, view.results.decision
    if ranking is None or decision is None:
        return None
    has = ranking.top[:, 0] >= 0
    said = decision.probability(ranking.top_scores[has, 0])
    right = ranking.own_rank[has] == 1
    # bins of equal mass, as for the calibration error; few queries make few bins
    bins = np.array_split(np.argsort(said, kind="stable"), max(1, min(15, len(said) // 10)))
    bins = [rows for rows in bins if len(rows)]
    if not bins:
        return None
    return line(
        [
            Series(
                "",
                [float(said[rows].mean()) for rows in bins],
                [float(right[rows].mean()) for rows in bins],
                points=True,
            )
        ],
        title="Share of right answers against the probability that was given",
        x="probability given, %",
        y="right, %",
        x_range=(0, 1),
        y_range=(0, 1),
        diagonal=True,
        percent=True,
    )


def training(history: tuple[Mapping[str, Any], ...]) -> dict[str, Markup]:
    """Loss, validation scores and learning rates over the epochs; only those that were recorded."""
    names = list(dict.fromkeys(name for epoch in history for name in epoch))
    groups: dict[str, list[str]] = {"loss": [], "accuracy": [], "rate": []}
    for name in names:
        stem = name.lower()
        if stem.startswith(("rate", "lr", "learning")):
            groups["rate"].append(name)
        elif "loss" in stem:
            groups["loss"].append(name)
        elif "accuracy@" in stem:
            groups["accuracy"].append(name)
    epochs = [float(entry.get("epoch", n)) for n, entry in enumerate(history, 1)]

    def of(name: str) -> Series:
        values = [entry.get(name) for entry in history]
        return Series(name.rpartition("/")[2] if "/" in name else name, epochs, values)

    plots = {}
    if groups["loss"]:
        plots["loss"] = line(
            [of(name) for name in groups["loss"]], title="Training loss", x="epoch", y="loss"
        )
    if groups["accuracy"]:
        plots["accuracy"] = line(
            [of(name) for name in groups["accuracy"]],
            title="Validation accuracy",
            x="epoch",
            y="validation accuracy, %",
            y_range=(0, 1),
            percent=True,
        )
    if groups["rate"]:
        plots["rate"] = line(
            _distinct([of(name) for name in groups["rate"]]),
            title="Learning rates",
            x="epoch",
            y="rate",
            log_y=True,
        )
    return plots


def _distinct(series: list[Series]) -> list[Series]:
    """Lines that lie upon one another, as the stages of a backbone often do, drawn once under a joint name."""
    joined: dict[tuple[float | None, ...], Series] = {}
    for one in series:
        before = joined.get(tuple(one.y))
        label = one.label if before is None else f"{before.label}, {one.label}"
        joined[tuple(one.y)] = Series(label, one.x, one.y)
    return list(joined.values())


def counts(view: View) -> Markup:
    """Photos of each individual, sorted: the article's plot of how uneven the data are."""
    known = view.identity != UNKNOWN
    names, photos = np.unique(view.identity[known], return_counts=True)
    trained = set(view.identity[view.part == "train"].tolist())
    order = np.argsort(-photos, kind="stable")
    return bars(
        photos[order].tolist(),
        title="Photos of each individual, sorted",
        x=f"{len(names)} individuals, from most to least photographed",
        y="photos",
        labels=names[order].tolist(),
        groups=[0 if name in trained else 1 for name in names[order].tolist()],
        legend=("seen in training", "not seen in training"),
    )
