"""The plots of a survey: bars for the page as HTML, and the same as PNG for a talk or an article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.data.table import PARTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

COLOURS = {"train": "#2f7d5b", "val": "#c9822b", "test": "#3f6fb0", "unused": "#9aa0a6"}


@dataclass(frozen=True)
class Bars:
    """Upright bars from zero, in one or more stacked layers.

    Attributes:
        name: of the PNG, without its ending.
        title: what it shows.
        x: what stands side by side.
        y: what is counted.
        labels: one a bar.
        layers: heights by the layer's name; each as long as `labels`.
    """

    name: str
    title: str
    x: str
    y: str
    labels: Sequence[str]
    layers: Mapping[str, Sequence[float]]

    @property
    def top(self) -> float:
        """The highest bar."""
        return max((sum(heights) for heights in zip(*self.layers.values(), strict=True)), default=0)

    @property
    def ticks(self) -> list[float]:
        """Round numbers from zero to just above the highest bar."""
        step = next(
            unit * 10**power
            for power in range(9)
            for unit in (1, 2, 5)
            if unit * 10**power * 4 >= max(1, self.top)
        )
        return [step * n for n in range(int(-(-max(1, self.top) // step)) + 1)]


def by_part(name: str, title: str, y: str, individuals: pd.DataFrame) -> Bars:
    """Images an individual, stacked by part, as sorted."""
    unused = individuals["images"] - individuals[list(PARTS)].sum(axis=1)
    layers = {part: individuals[part].astype(int).tolist() for part in PARTS}
    if unused.any():
        layers["unused"] = unused.astype(int).tolist()
    return Bars(
        name, title, "individuals, most images first", y, [str(who) for who in individuals.index], layers
    )


def histogram(name: str, title: str, x: str, y: str, values: ArrayLike, edges: Sequence[int]) -> Bars:
    """How many values are in each class; classes begin at `edges`, the last is open."""
    ends = [*[edge - 1 for edge in edges[1:]], None]
    labels = [
        f"{low}+" if high is None else str(low) if low == high else f"{low}–{high}"
        for low, high in zip(edges, ends, strict=True)
    ]
    counts, _ = np.histogram(values, [*edges, np.inf])
    full = np.flatnonzero(counts)
    shown = slice(int(full.min(initial=len(counts) - 1)), int(full.max(initial=0)) + 1)
    return Bars(name, title, x, y, labels[shown], {"all": counts[shown].tolist()})


def save_bars(bars: Bars, path: Path) -> None:
    """Draw as PNG."""
    figure, axes = _figure(bars.title)
    below = np.zeros(len(bars.labels))
    for layer, heights in bars.layers.items():
        axes.bar(
            np.arange(len(heights)),
            heights,
            0.86,
            bottom=below,
            label=layer,
            color=COLOURS.get(layer, "#2f7d5b"),
        )
        below += heights
    axes.set(xlabel=bars.x, ylabel=bars.y)
    if len(bars.labels) <= 24:
        axes.set_xticks(
            range(len(bars.labels)),
            bars.labels,
            rotation=0 if max(map(len, bars.labels)) < 6 else 60,
            parse_math=False,  # a name may have a dollar in it
        )
    else:
        axes.set_xticks([])
    if len(bars.layers) > 1:
        axes.legend(frameon=False)
    figure.savefig(path)


def save_calendar(calendar: pd.DataFrame, path: Path) -> None:
    """Draw images a day, a year a row, as PNG."""
    figure, axes = _figure("images a day")
    years = sorted(set(pd.DatetimeIndex(calendar.index).year))
    grid = np.full((len(years), 366), np.nan)
    when = pd.DatetimeIndex(calendar.index)
    grid[np.searchsorted(years, when.year), when.day_of_year - 1] = calendar["images"]
    shown = axes.imshow(grid, aspect="auto", cmap="viridis_r", interpolation="nearest")
    starts = [pd.Timestamp(2024, month, 1).day_of_year - 1 for month in range(1, 13)]
    axes.set_xticks(starts, [pd.Timestamp(2024, month, 1).strftime("%b") for month in range(1, 13)])
    axes.set_yticks(range(len(years)), [str(year) for year in years])
    figure.colorbar(shown, ax=axes, label="images")
    figure.savefig(path)


def _figure(title: str) -> tuple[Figure, Axes]:
    # without pyplot: no window, no global state
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
