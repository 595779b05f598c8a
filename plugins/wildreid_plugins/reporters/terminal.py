"""The scores as a table in the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Reporter
from wildreid.option import did_you_mean

if TYPE_CHECKING:
    from rich.table import Table as RichTable
    from rich.text import Text

    from wildreid.artefacts import Results

SHOWN = (
    "accuracy@1", "accuracy@3", "accuracy@5", "accuracy@10", "macro-accuracy@1", "encounter-accuracy@1",
    "map", "macro-map", "1-shot", "5-shot", "auroc", "dir@1", "fpir", "ece",
)  # fmt: skip
"""What is shown by default, in this order; those that were not measured are left out."""
LEFT = re.compile(
    r"(macro-|encounter-|image-)?accuracy@\d+|\d+-shot|dir@\d+|tar@far=.+|verification-pairs|eer|fpr@95tpr|mrr|"
    r"r-precision|baks|baus|baks-baus|brier|ari|ami|nmi|b-cubed|clustered-images"
)
"""Our own figures that the page of the report shows alone. What other plugins measure is shown here too."""


class Terminal(Reporter):
    """Print the scores with interval, n and protocol, and where the report is."""

    name = "terminal"
    scores: tuple[str, ...] | None = Field(
        None,
        description="which scores to print, in this order; those of ours that were not measured are left out; "
        "null: the usual ones, and those of metrics from other plugins",
    )

    def write(self, *, results: Results, folder: Path) -> list[Path]:
        """Print; nothing is written into `folder`, whose ``index.html`` is named where another wrote it.

        Raises:
            UserError: a score is asked for that no metric of the run gives.
        """
        from rich.console import Console

        names = self._names(results)
        console = Console(highlight=False)
        console.print()
        for protocol, block in results.scores["protocols"].items():
            console.print(_title(results, protocol, block))
            if block.get("reason"):
                console.print(f"not measured: {block['reason']}", style="yellow", markup=False)
            else:
                console.print(_table(block, names))
                shown = (block["scores"].get(name, {}).get("note") for name in names)
                for note in dict.fromkeys(filter(None, shown)):
                    console.print(f"* {note}", style="dim", markup=False, soft_wrap=True)
                console.print(_counts(block["counts"]), style="dim", soft_wrap=True)
                for sentence in block.get("matching", {}).get("says", ()):
                    console.print(f"• {sentence}", markup=False, soft_wrap=True)
            console.print()
        if results.choice:
            console.print(f"{results.choice}", style="dim", markup=False, soft_wrap=True)
        for note in _notes(results.scores):
            console.print(f"• {note}", style="yellow", markup=False)
        if results.shortcut is not None and "says" in results.shortcut:
            style = "bold yellow" if results.shortcut["warning"] else "dim"
            console.print(results.shortcut["says"], style=style, markup=False, soft_wrap=True)
        page = folder / "index.html"
        if page.is_file():
            console.print(f"report  {page}", markup=False, soft_wrap=True)
        return []

    def _names(self, results: Results) -> list[str]:
        """Which scores to print."""
        there = list(
            dict.fromkeys(name for block in results.scores["protocols"].values() for name in block["scores"])
        )
        if self.scores is None:
            others = [name for name in there if name not in SHOWN and not LEFT.fullmatch(name)]
            return [*(name for name in SHOWN if name in there), *others]
        for name in self.scores:
            if name not in there and name not in SHOWN and not LEFT.fullmatch(name):
                raise UserError(
                    f"no metric of this run gives a score '{name}'{did_you_mean(name, there)}; "
                    f"there are: {', '.join(there)}",
                    where="reporters: terminal: scores",
                    cure="correct the name, or add the metric that gives it",
                )
        return list(self.scores)


def _table(block: Mapping[str, Any], names: Sequence[str]) -> RichTable:
    from rich.table import Table as RichTable

    table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("score", "value", "interval", "n", ""):
        table.add_column(column, justify="right" if column in ("value", "n") else "left")
    for name in names:
        if name in block["scores"]:
            table.add_row(*_row(name, block["scores"][name]))
    return table


def _title(results: Results, protocol: str, block: Mapping[str, Any]) -> Text:
    from rich.text import Text

    stamp = f" [{results.stamp}]" if results.stamp else ""
    title = Text(f"{results.name}{stamp} · {protocol}: {block['label']}", style="bold")
    if block.get("optimistic"):
        title.append(f"  optimistic: {block['optimistic']}", style="bold yellow")
    return title


def _counts(counts: Mapping[str, int]) -> str:
    return (
        f"{counts['queries']:,} queries ({counts['mated']:,} mated, {counts['non_mated']:,} not) against "
        f"{counts['gallery']:,} images of {counts['individuals']:,} individuals; "
        f"{counts['masked']:,} pairs masked"
        + (f"; {counts['lost']:,} queries lost all matches to what is kept apart" if "lost" in counts else "")
    )


def _row(name: str, score: Mapping[str, Any]) -> tuple[Any, ...]:
    from rich.text import Text

    style = "bold green" if name == "accuracy@1" else ""
    if score["value"] is None:
        return Text(name), "–", "", "", Text(score.get("reason") or "not measured", style="yellow")
    interval = "" if score.get("low") is None else f"{score['low']:.3f} – {score['high']:.3f}"
    n = "" if score.get("n") is None else str(score["n"])
    return (
        Text(name, style=style),
        Text(f"{score['value']:.3f}", style=style),
        interval,
        n,
        Text("*" if score.get("note") else ""),
    )


def _notes(scores: Mapping[str, Any]) -> list[str]:
    """What the reader should know before believing a figure."""
    notes = []
    if scores.get("optimistic"):
        notes.append(f"every figure of this run is optimistic: {scores['optimistic']}")
    decision = scores.get("decision") or {}
    if decision.get("reason"):
        notes.append(f"no threshold: {decision['reason']}")
    elif decision.get("simulated"):
        notes.append(
            "the threshold was fitted on simulated unknowns: there were too few real ones in validation"
        )
    if decision.get("prior"):
        notes.append(
            "probabilities are meant for a stream with new animals in "
            f"{100 * decision['prior']:g} % of its encounters"
        )
    return notes
