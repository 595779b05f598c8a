"""Sections and tables of the page, from the rows that the benchmarks left in the JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import (
    Row,
    Spread,
    duration,
    growth,
    number_of,
    others,
    ratio,
    seconds,
    short,
    verdicts,
)
from benchmarks.forest import Mark, forest
from markupsafe import Markup

from wildreid.page import Series, line

ORDER = ("training", "loading", "ranking", "gallery", "peers", "accuracy", "scaling")
"""The sections that come first; the others follow by name."""
CURVES = 8
"""Lines in one plot at most; a page has so many colours."""


@dataclass
class Table:
    """A table as the page shows it.

    Attributes:
        title: its heading.
        columns: the heads.
        rows: the cells, as text.
        about: how it was measured, a paragraph each.
        aims: of each aim in it what it is of, the aim, what was found, the verdict.
        plots: SVG.
    """

    title: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    aims: list[tuple[str, str, str, str]] = field(default_factory=list)
    plots: list[Markup] = field(default_factory=list)


@dataclass
class Section:
    """The tables of one file of benchmarks, with what its docstring says."""

    name: str
    words: str
    tables: list[Table] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading."""
        return self.name.replace("_", " ").capitalize()


def sections_of(runs: Sequence[Mapping[str, Any]]) -> list[Section]:
    """All that the runs measured, in the page's order."""
    words: dict[str, str] = {}
    grouped: dict[str, dict[str, list[Row]]] = {}
    for run in runs:
        for benchmark in run["benchmarks"]:
            extra = benchmark["extra_info"]
            for row in extra.get("rows", ()):
                name = extra["section"]["name"]
                words[name] = extra["section"]["words"]
                grouped.setdefault(name, {}).setdefault(row["table"], []).append(row)
    names = sorted(grouped, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return [
        Section(name, words[name], [_table(title, rows) for title, rows in grouped[name].items()])
        for name in names
    ]


def _table(title: str, rows: Sequence[Row]) -> Table:
    about = list(dict.fromkeys(row["about"] for row in rows if row.get("about")))
    table = Table(title, about=about)
    sized = [row for row in rows if "size" in row]
    cells = _growing(table, sized) if sized else []
    for row in rows:
        if "size" not in row:
            cells.append(_cells(row))
        table.aims += [
            (f"{title}: {_name(row)}", verdict.aim, verdict.found, verdict.words) for verdict in verdicts(row)
        ]
    table.columns = list(dict.fromkeys(name for row in cells for name in row))
    table.columns.sort(key=lambda name: name in ("aim", "note"))  # those two last, all else as it comes
    table.rows = [[row.get(name, "") for name in table.columns] for row in cells]
    table.plots += _forests(title, [row for row in rows if "size" not in row and "reason" not in row])
    return table


def _name(row: Row) -> str:
    size = [f"{row['size']:,}"] if "size" in row else []
    return ", ".join([*(_label(key, value) for key, value in row["row"].items()), *size])


def _label(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return key if value else f"not {key}"
    return f"{key} {value:,}" if isinstance(value, int) else str(value)


def _cells(row: Row) -> dict[str, str]:
    """The cells of one row by column."""
    cells = {name: _text(value) for name, value in row["row"].items()}
    if "reason" in row:
        return {**cells, "note": row["reason"]}
    if "seconds" in row:
        for side in row["seconds"]:
            head, value = _speed(row, side)
            cells[head] = value
        word = f"× {row['compare']} of"
        for other in others(row):
            for clock, kind in enumerate(("", ", CPU")):
                cells[f"{word} {other}{kind}"] = _spread(ratio(row, other, clock))
    cells |= {name: _text(value) for name, value in row["figures"].items()}
    if found := verdicts(row):
        cells["aim"] = "; ".join(f"{verdict.aim}: {verdict.words}" for verdict in found)
    return cells


def _speed(row: Row, side: str) -> tuple[str, str]:
    took = seconds(row, side).median
    if row["unit"]:
        return f"{side}, {row['unit']}/s", short(row["count"] / took)
    return side, duration(took)


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"


def _text(value: Any) -> str:
    """A figure in words, with its interval and what is said of it."""
    if isinstance(value, Mapping):
        low, high = value.get("low"), value.get("high")
        between = f" ({_text(low)}–{_text(high)})" if low is not None and high is not None else ""
        says = f", {value['says']}" if value.get("says") else ""
        return f"{_text(value.get('value'))}{between}{says}"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{short(value)}" if isinstance(value, float) else str(value)


def _growing(table: Table, rows: Sequence[Row]) -> list[dict[str, str]]:
    """Rows that differ in size alone, made one row each, with the exponents; and their plots."""
    lines: dict[str, list[Row]] = {}
    for row in rows:
        lines.setdefault(_name({"row": row["row"]}), []).append(row)
    cells, curves = [], {"seconds": list[Series](), **{name: list[Series]() for name in _plotted(rows)}}
    for name, points in lines.items():
        points.sort(key=lambda row: row["size"])
        cell = {key: _text(value) for key, value in points[0]["row"].items()}
        for row in points:
            peak = "".join(
                f", {_text(value)} {key.rpartition(', ')[2]}" for key, value in row["figures"].items()
            )
            cell[f"{row['size']:,}"] = duration(seconds(row).median) + peak
        sizes = [float(row["size"]) for row in points]
        for what, series in curves.items():
            costs = [_cost(row, what) for row in points]
            series.append(Series(name, sizes, costs, points=True))
            found = growth(sizes, [cost or 0.0 for cost in costs])
            words = "exponent" if what == "seconds" else f"exponent of {what.partition(',')[0]}"
            cell[words] = f"{found.fitted:.2f} (last {found.last:.2f})" if found else "–"
            sign, bound = points[0].get("aims", {}).get(words, (None, 0.0))
            if sign and found:
                met = "met" if found.fitted <= bound else "not met"
                table.aims.append(
                    (f"{table.title}: {name}", f"{words} ≤ {bound:g}", f"{found.fitted:.2f}", met)
                )
        cells.append(cell)
    for what, series in curves.items():
        for first in range(0, len(series), CURVES):
            table.plots.append(
                line(
                    series[first : first + CURVES],
                    title=f"{table.title}: {what} by size",
                    x="size",
                    y=what,
                    log_x=True,
                    log_y=True,
                )
            )
    return cells


def _plotted(rows: Iterable[Row]) -> list[str]:
    """The figures that grow with size: those that a row names to be drawn."""
    return list(dict.fromkeys(row["plot"] for row in rows if "plot" in row))


def _cost(row: Row, what: str) -> float | None:
    return seconds(row).median if what == "seconds" else number_of(row["figures"].get(what))


def _forests(title: str, rows: Sequence[Row]) -> list[Markup]:
    """Ratios with their spread, and the figures that rows name to be drawn, with their intervals."""
    plots = []
    for compare in ("speed", "time"):
        marks = []
        for row in rows:
            for other in others(row) if row["compare"] == compare else ():
                spread, aim = ratio(row, other, 0), row.get("aims", {}).get(other)
                label = _name(row)
                marks.append(
                    Mark(label, spread.median, spread.low, spread.high, other, aim[1] if aim else None)
                )
        if marks:
            plots.append(
                forest(
                    marks, title=f"{title}: × {compare}", x=f"× {compare} of the other side", reference=1.0
                )
            )
    for figure in _plotted(rows):
        marks = []
        for row in rows:
            value = row["figures"].get(figure) if row.get("plot") == figure else None
            number = number_of(value)
            if number is not None:
                ends = value if isinstance(value, Mapping) else {}
                low, high = (number_of(ends.get(end)) for end in ("low", "high"))
                says = str(ends.get("says") or "")
                marks.append(
                    Mark(
                        _name(row),
                        number,
                        number if low is None else low,
                        number if high is None else high,
                        says,
                    )
                )
        if marks:
            plots.append(forest(marks, title=f"{title}: {figure}", x=figure))
    return plots
