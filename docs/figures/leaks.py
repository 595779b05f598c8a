"""Measure what bursts are worth, on drawn bears, and draw it: ``python docs/figures/leaks.py [--measure]``.

One network, one data set, two splits, two protocols. Measuring trains twice, into ``runs`` in the
working folder, and writes ``leaks.json``; drawing makes ``leaks.svg`` from it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECIPE = HERE.parents[1] / "species" / "bears" / "recipe.yaml"
ROWS = (
    ("random", "image-loo", "random split, only the query image left out"),
    ("random", "cross-encounter", "random split, across encounters"),
    ("open-set", "image-loo", "open-set split, only the query image left out"),
    ("open-set", "cross-encounter", "open-set split, across encounters: the headline"),
)


def measure() -> dict[str, Any]:
    """Train on both splits, and keep accuracy@1 with its interval and n under both protocols."""
    import wildreid

    found = []
    for splitter in ("random", "open-set"):
        settings = {"splitter": splitter, "reporters": [], "name": f"leaks-{splitter}"}
        results = wildreid.run(RECIPE, profiles=["sample"], settings=settings)
        for protocol, block in results.scores["protocols"].items():
            score = block["scores"]["accuracy@1"]
            kept = {key: score[key] for key in ("value", "low", "high", "n")}
            found.append({"splitter": splitter, "protocol": protocol, **kept})
    versions = {name: results.run["versions"][name] for name in ("wildreid", "torch", "timm")}
    return {"data": "drawn bears, profile sample, seed 0", "versions": versions, "figures": found}


def draw(measured: dict[str, Any]) -> str:
    """The figures as bars with their intervals, readable on a light and on a dark page."""
    body = []
    for number, (splitter, protocol, label) in enumerate(ROWS):
        (one,) = [
            figure
            for figure in measured["figures"]
            if (figure["splitter"], figure["protocol"]) == (splitter, protocol)
        ]
        top = 34 + 58 * number
        width, low, high = (640 * one[key] for key in ("value", "low", "high"))
        css = "honest" if protocol == "cross-encounter" and splitter == "open-set" else "flatters"
        body += [
            f'<text x="0" y="{top - 8}">{label}</text>',
            f'<rect class="{css}" x="0" y="{top}" width="{width:.1f}" height="20"/>',
            f'<path d="M{low:.1f} {top + 10}H{high:.1f}M{low:.1f} {top + 5}v10M{high:.1f} {top + 5}v10"/>',
            f'<text class="value" x="{max(high, width) + 10:.1f}" y="{top + 15}">{one["value"]:.2f}</text>',
        ]
    title = "Accuracy at rank 1 of one network on one data set, by split and by protocol"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 0 716 270" role="img" '
        f'aria-label="{title}">\n<title>{title}</title>\n<style>'
        "text{font:15px sans-serif;fill:#222}.value{font-weight:bold}"
        ".honest{fill:#1b7f5a}.flatters{fill:#c8923a}"
        "path{stroke:#222;stroke-width:1.5;fill:none}"
        "@media(prefers-color-scheme:dark){text{fill:#eee}path{stroke:#eee}}</style>\n"
        + "\n".join(body)
        + f'\n<text x="0" y="262" style="font-size:12px">{measured["data"]}; bars: accuracy@1, whiskers: '
        "95 % interval by individual</text>\n</svg>\n"
    )


if __name__ == "__main__":
    file = HERE / "leaks.json"
    if "--measure" in sys.argv:
        file.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    (HERE / "leaks.svg").write_text(draw(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")
