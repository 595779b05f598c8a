"""The plots: accuracy against k, known against new, calibration, training and counts."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from wildreid.page import Series, bars, line
from wildreid_plugins.reporters.html.view import UNKNOWN, View


def accuracy(view: View) -> Markup:
    """Share of queries whose own individual is among the first k, for each protocol, with intervals."""
    series = []
    for protocol, block in view.scores["protocols"].items():
        curve = block["curves"].get("accuracy") or {}
        if "k" not in curve:
            continue
        measured = [block["scores"].get(f"accuracy@{k}", {}) for k in curve["k"]]
        series.append(
            Series(
                protocol,
                curve["k"],
                curve["accuracy"],
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


def open_set(view: View) -> Markup | str:
    """Known individuals found against new ones taken for known, at all thresholds; or why it is not drawn."""
    curve = view.block["curves"].get("dir_fpir") or {}
    if "fpir" not in curve:
        return str(curve.get("reason") or view.block.get("reason") or "the run did not record it")
    return line(
        [Series("", [0.0, *curve["fpir"]], [0.0, *curve["dir1"]])],
        title="Known individuals found and named right, against new individuals taken for known ones",
        x="new individuals taken for known ones, %",
        y="known ones found, %",
        x_range=(0, 1),
        y_range=(0, 1),
        mark=view.block["scores"].get("fpir", {}).get("value"),
        percent=True,
    )


def reliability(view: View) -> Markup | str:
    """How often the first individual is right, against the probability given; or why it is not drawn."""
    curve = view.block["curves"].get("reliability") or {}
    if "right" not in curve:
        return str(curve.get("reason") or view.block.get("reason") or "the run did not record it")
    return line(
        [Series("", curve["probability"], curve["right"], points=True)],
        title="Share of right answers against the probability that was given",
        x="probability given, %",
        y="right, %",
        x_range=(0, 1),
        y_range=(0, 1),
        diagonal=True,
        percent=True,
    )


def training(view: View) -> dict[str, Markup]:
    """Loss, validation scores and learning rates over the epochs; only those that were recorded."""
    history = view.results.history
    epochs = [float(entry.get("epoch", n)) for n, entry in enumerate(history, 1)]
    names = list(dict.fromkeys(name for entry in history for name in entry))
    choice = view.results.choice

    def of(wanted: str) -> list[Series]:
        chosen = [name for name in names if name.startswith(wanted)]
        return [Series(name, epochs, [entry.get(name) for entry in history]) for name in chosen]

    plots = {}
    if losses := of("loss"):
        plots["loss"] = line(losses, title="Training loss", x="epoch", y="loss")
    if accuracies := of("accuracy@"):
        plots["accuracy"] = line(
            accuracies,
            title="Validation accuracy",
            x="epoch",
            y="validation accuracy, %",
            y_range=(0, 1),
            mark=choice.epoch if choice else None,
            percent=True,
        )
    if rates := _distinct(of("rate/")):
        plots["rate"] = line(rates, title="Learning rates", x="epoch", y="rate", log_y=True)
    return plots


def _distinct(rates: list[Series]) -> list[Series]:
    """Rates that are equal in every epoch, as those of a backbone's stages often are, as one line."""
    joined: dict[tuple[float | None, ...], list[str]] = {}
    for one in rates:
        if any(one.y):
            joined.setdefault(tuple(one.y), []).append(one.label.removeprefix("rate/"))
    lines = []
    for values, names in joined.items():
        whole = len(names) > 1 and all(name.startswith("backbone.") for name in names)
        lines.append(Series("backbone" if whole else ", ".join(names), rates[0].x, values))
    return lines


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
