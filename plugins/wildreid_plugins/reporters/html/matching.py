"""Matching point by point: which ranking stands and why, each beside the embedding alone, and pairs with lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wildreid.page import figure, interval, matched_points
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
        "lines": [_pair(view, pair) for pair in view.results.lines],
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


def _pair(view: View, pair: Mapping[str, Any]) -> dict[str, Any]:
    query, found = (view.identity[pair[side]] or "unknown individual" for side in ("query", "found"))
    said = f"{'Right' if pair['same'] else 'Wrong'}: {query} taken for {found}."
    count = f"{pair['points']} points match by {pair['matcher']}"
    words = f"{count}. {', '.join(view.words(pair['query']))} beside {', '.join(view.words(pair['found']))}"
    first, second = pair["pictures"]
    drawn = matched_points((first, second), pair["lines"], size=pair["size"], words=f"{said} {count}")
    return {"said": said, "words": words, "svg": drawn}
