"""One page for several runs: their figures, the differences, and what their recipes differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.page.plots import Series, line
from wildreid.page.private import Veil
from wildreid.page.render import render
from wildreid.page.words import figure, interval, percent, words_of

if TYPE_CHECKING:
    from wildreid.artefacts import Results
    from wildreid.evaluation.compare import Comparison, Figure


def comparison_page(found: Comparison, runs: Sequence[Results]) -> str:
    """The HTML page of a comparison.

    Args:
        found: what `wildreid.evaluation.compare.compare` gave.
        runs: the runs that it compared, in its order.
    """
    blocks = [_block(run) for run in runs]
    return render(
        Path(__file__).with_name("comparison.html"),
        title=" and ".join(found.runs),
        stamp=", ".join(dict.fromkeys(run.stamp for run in runs if run.stamp)),
        sections=[("figures", "Figures"), ("recipes", "What differs")],
        made="Written by wildreid. This page loads nothing from the network.",
        found=found,
        confidence=percent(found.confidence, 0),
        optimistic=[(run.name, block.get("optimistic")) for run, block in zip(runs, blocks, strict=True)],
        rows=[
            (name, words_of(name), [_cell(name, one, at) for at, one in enumerate(figures)])
            for name, figures in found.figures.items()
        ],
        accuracy=line(
            [
                Series(run.name, curve["k"], curve["accuracy"], points=True)
                for run, block in zip(runs, blocks, strict=True)
                if "k" in (curve := block["curves"].get("accuracy") or {})
            ],
            title="Share of photos whose own individual is among the first k",
            x="k: how many individuals one looks at",
            y="right one among them, %",
            y_range=(0, 1),
            percent=True,
        ),
        differing=_differing(runs),
    )


def _block(run: Results) -> Mapping[str, Any]:
    """The scores under the protocol that runs are compared by: the headline's, or the first usable one."""
    blocks = run.scores["protocols"]
    names = (run.scores["headline"], *blocks)
    usable = (name for name in names if not blocks[name].get("reason"))
    block: Mapping[str, Any] = blocks[next(usable, names[0])]
    return block


def _cell(name: str, one: Figure, at: int) -> dict[str, str]:
    verdict = {True: "within noise", False: "beyond noise", None: ""}[one.within_noise]
    return {
        "value": figure(name, one.value),
        "interval": interval(name, one.interval),
        "difference": figure(name, one.difference, sign=True) if at else "",
        "difference_interval": interval(name, one.difference_interval, sign=True),
        "verdict": verdict,
    }


def _differing(runs: Sequence[Results]) -> list[tuple[str, list[str]]]:
    """The keys of the recipes whose values are not the same in all runs."""
    flat = []
    for run in runs:
        private = bool(run.recipe.get("private"))
        cameras = [str(name) for name in run.table["camera"].dropna().unique()]
        veil = Veil(cameras, places=(run.table.root, run.folder.absolute()), private=private)
        flat.append(dict(_flat(veil.data(run.recipe))))
    keys = dict.fromkeys(key for one in flat for key in one if key not in ("name", "about"))
    rows = [(key, [one.get(key, "–") for one in flat]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, str(value)
