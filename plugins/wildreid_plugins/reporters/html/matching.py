"""Matching point by point: which ranking stands and why, and pairs with lines; without matchers pairs with heat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wildreid.page import figure, heated, interval, matched_points
from wildreid_plugins.reporters.html.view import View

KS = ("accuracy@1", "accuracy@5")


def matching(view: View) -> dict[str, Any] | None:
    """The section's words, rows and pairs; None for a run without matchers and re-rankers."""
    told = view.block.get("matching")
    if not told:
        return None
    rows = [
        {
            "words": "the embedding alone" if name == "embedding" else name,
            "stands": name == told["stands"],
            "cells": [_cell(found[k]) for k in KS],
        }
        for name, found in told["figures"].items()
    ]
    return {
        "says": told["says"],
        "rows": rows,
        "n": told["figures"]["embedding"]["accuracy@1"]["n"],
        "lines": [_lined(view, pair) for pair in view.results.lines if "lines" in pair],
    }


def _cell(one: Mapping[str, Any]) -> dict[str, str]:
    cell = {
        "value": figure("accuracy", one["value"]),
        "interval": interval("accuracy", (one["low"], one["high"])),
        "difference": "",
        "paired": "",
    }
    if "difference" in one:
        ends = one["difference_low"], one["difference_high"]
        cell["difference"] = figure("accuracy", one["difference"], sign=True)
        cell["paired"] = interval("accuracy", ends, sign=True)
    return cell


def alike(view: View) -> dict[str, Any] | None:
    """Pairs with the places that made their embeddings alike, or why there are none; None where nothing is told."""
    pairs = [_warm(view, pair) for pair in view.results.lines if "heat" in pair]
    reason = view.results.no_lines
    side = max((len(pair["heat"][0]) for pair in view.results.lines if "heat" in pair), default=0)
    return {"pairs": pairs, "reason": reason, "side": side} if pairs or reason else None


def _lined(view: View, pair: Mapping[str, Any]) -> dict[str, Any]:
    said = _said(view, pair)
    count = f"{pair['points']} points match by {pair['matcher']}"
    first, second = pair["pictures"]
    drawn = matched_points((first, second), pair["lines"], size=pair["size"], words=f"{said} {count}")
    return {"said": said, "words": f"{count}. {_whence(view, pair)}", "svg": drawn}


def _warm(view: View, pair: Mapping[str, Any]) -> dict[str, Any]:
    said = _said(view, pair)
    sums = [sum(map(sum, one)) for one in pair["heat"]]
    first, second = pair["pictures"]
    told = f"similarity {pair['similarity']:.2f}; places add {sums[0]:.2f} in one photo, {sums[1]:.2f} in the other"
    drawn = heated((first, second), pair["heat"], words=f"{said} {told}")
    return {"said": said, "words": f"{told}. {_whence(view, pair)}", "svg": drawn}


def _said(view: View, pair: Mapping[str, Any]) -> str:
    query, found = (view.identity[pair[side]] or "unknown individual" for side in ("query", "found"))
    return f"{'Right' if pair['same'] else 'Wrong'}: {query} taken for {found}."


def _whence(view: View, pair: Mapping[str, Any]) -> str:
    return f"{', '.join(view.words(pair['query']))} beside {', '.join(view.words(pair['found']))}"
