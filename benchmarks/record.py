"""What a benchmark leaves for the page: rows of plain data in ``benchmark.extra_info``; see README.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.timing import PAIRS, Seconds, Side, took

Aims = Mapping[str, tuple[Literal["<=", ">="], float]]


@dataclass
class Record:
    """The fixture ``record``: times sides in turns, and leaves rows.

    Attributes:
        benchmark: pytest-benchmark's fixture.
        about: the benchmark's docstring, which the page prints under the table.
        device: ``cuda`` where there is one, else ``cpu``.
    """

    benchmark: Any
    about: str
    device: str

    def beside(
        self,
        table: str,
        row: Mapping[str, Any],
        sides: Mapping[str, Side],
        *,
        pairs: int = PAIRS,
        warm: bool = True,
        **more: Any,
    ) -> dict[str, list[Seconds]]:
        """Time the sides in turns and leave a row; the first side is ours and gives pytest-benchmark's figures.

        Args:
            table: the heading of the row's table.
            row: the cells that name the row.
            sides: what is timed, by name; see `benchmarks.timing.Side`.
            pairs: how often each is timed.
            warm: whether each runs once before, untimed.
            more: as in `row`.

        Returns:
            each side's seconds, turn by turn.
        """
        found = self.turns(sides, pairs=pairs, warm=warm)
        self.row(table, row, seconds=found, **more)
        return found

    def turns(
        self, sides: Mapping[str, Side], *, pairs: int = PAIRS, warm: bool = True
    ) -> dict[str, list[Seconds]]:
        """Time the sides as `beside` does, and leave no row."""
        (ours, work), *others = sides.items()
        found: dict[str, list[Seconds]] = {name: [] for name in sides}

        def theirs() -> None:
            for name, side in others:
                found[name].append(took(side))

        self.benchmark.pedantic(
            lambda: found[ours].append(took(work)), setup=theirs, rounds=pairs, warmup_rounds=int(warm)
        )
        turns = pairs if self.benchmark.enabled else 1
        found = {name: times[-turns:] for name, times in found.items()}
        return found

    def row(
        self,
        table: str,
        row: Mapping[str, Any],
        *,
        seconds: Mapping[str, list[Seconds]] | None = None,
        compare: Literal["speed", "time"] = "speed",
        count: int = 1,
        unit: str = "",
        figures: Mapping[str, Any] | None = None,
        size: int | None = None,
        aims: Aims | None = None,
        plot: str | None = None,
    ) -> None:
        """Leave a row.

        Args:
            table: the heading of its table.
            row: the cells that name it.
            seconds: each side's times; the page computes every ratio from them.
            compare: whether the page says how fast we are (1 and more is good) or how long we take (1 and less).
            count: how many of `unit` each timing did; the page then says so many a second.
            unit: such as ``images``; empty for seconds alone.
            figures: further cells: a number, a text, or a mapping with ``value`` and any of ``low``, ``high``
                and ``says`` (such as ``measured here``).
            size: how much work this was; rows that differ in size alone are one line of a plot, with its
                exponent.
            aims: by a figure's name, by another side's name (of the ratio) or ``seconds``, what was aimed at.
            plot: the figure that is drawn, with its interval.
        """
        left = {
            "table": table, "row": dict(row), "about": self.about, "compare": compare, "count": count,
            "unit": unit, "figures": dict(figures or {}),
        }  # fmt: skip
        if seconds:
            left["seconds"] = {
                name: [[*map(_short, pair)] for pair in pairs] for name, pairs in seconds.items()
            }
        left |= {"size": size} if size is not None else {}
        left |= {"plot": plot} if plot is not None else {}
        left |= {"aims": {name: list(aim) for name, aim in aims.items()}} if aims else {}
        self.benchmark.extra_info.setdefault("rows", []).append(left)

    def missing(self, table: str, row: Mapping[str, Any], reason: str) -> None:
        """Leave a row that says why there is nothing to measure."""
        self.benchmark.extra_info.setdefault("rows", []).append(
            {"table": table, "row": dict(row), "about": self.about, "reason": reason}
        )
        if not self.benchmark.has_error and self.benchmark.stats is None:
            self.benchmark.pedantic(lambda: None, rounds=1)


def _short(seconds: float) -> float:
    """Six digits, which keep the JSON small and bend nothing."""
    return float(f"{seconds:.6g}")
