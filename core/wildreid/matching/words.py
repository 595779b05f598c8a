"""What the stage found, in sentences: they stand in the report and the terminal alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RANKINGS = {"re-ranked": "re-ranking by {}", "fused": "matching by {}"}


def in_words(told: Mapping[str, Any]) -> list[str]:
    """Sentences on what counts and why, on how far was matched, and on what must be known of it."""
    said = []
    for name, gate in told["gates"].items():
        by = told["reranker"] if name == "re-ranked" else " and ".join(told["matchers"])
        said.append(_of_gate(RANKINGS[name].format(by), gate))
    if "pairs" in told:
        if told["exhaustive"]:
            said.append("Every query was matched to all images that it may be matched to.")
        else:
            said.append(
                f"Each query was matched to the {told['pairs']} nearest of {told['gallery']} gallery images; "
                "beyond them the embedding's order stays."
            )
        for name, points in told["points"].items():
            said += _of_points(name, points)
        said += _of_place(told["place"])
    return said


def _of_gate(what: str, gate: Mapping[str, Any]) -> str:
    what = what[0].upper() + what[1:]
    if "reason" in gate:
        return f"{what} does not count, the embedding's ranking is used: {gate['reason']}."
    ends = "no interval"
    if gate["low"] is not None:
        ends = f"interval {100 * gate['low']:+.1f} to {100 * gate['high']:+.1f}"
    animals = f"{gate['n']} validation queries of {gate['individuals']} animals"
    rise = f"accuracy@1 {100 * gate['difference']:+.1f} points ({ends}) on {animals}"
    if gate["open"]:
        return f"{what} counts, since it helps on validation: {rise}."
    return f"{what} does not count, since validation does not prove that it helps: {rise}."


def _of_points(name: str, points: Mapping[str, Any]) -> list[str]:
    said = []
    if points["without"]:
        said.append(
            f"In {points['without']} of {points['images']} photos {name} found no point; their pairs score 0."
        )
    if points["anywhere"]:
        said.append(
            f"{points['anywhere']} of {points['images']} photos have neither a mask nor a box: their points may "
            "lie on the place, not on the animal."
        )
    return said


def _of_place(place: Mapping[str, Any]) -> list[str]:
    if "reason" in place:
        return [f"Whether matches know the place was not measured: {place['reason']}."]
    said = []
    for name, one in place.items():
        ends = "" if one["low"] is None else f", interval {100 * one['low']:.0f} to {100 * one['high']:.0f}"
        share = f"{100 * one['value']:.0f} % (50 is chance{ends}; {one['n']} queries)"
        told = one["low"] is not None and one["low"] > 0.5
        knows = "know the place" if told else "do not show that they know the place"
        said.append(
            f"Matches of {name} {knows}: two different animals at one camera and day match better than two "
            f"elsewhere in {share}."
        )
    return said
