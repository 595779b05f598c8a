"""The animal or the place: what remains right with either hidden, and photos that only the place gives away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wildreid.page import figure, interval, percent
from wildreid_plugins.reporters.html.view import View

PHOTOS = (
    ("whole", "as they are", ""),
    ("hidden", "the animal hidden", "lost"),
    ("alone", "the place hidden", "gained"),
)
MARKS = (("query", "query"), ("found", "right"), ("instead", "wrong"))


def place(view: View) -> dict[str, Any]:
    """The section's figures and words, or the reason why there are none."""
    found = view.results.shortcut
    if found is None:
        given = "`shortcut`"
        if "backbone" not in view.results.recipe:  # embeddings from elsewhere
            given += " and the `model` that made the embeddings"
        return {"reason": f"`reid audit {view.results.folder.name}` measures it, given {given}"}
    if "reason" in found:
        return {"reason": found["reason"]}
    ratio = found["ratio"]
    ends = interval("accuracy", (ratio["low"], ratio["high"]))
    share = "Nothing is right even with both in sight, so there is no share that is right without the animal."
    if ratio["value"] is not None:
        between = f" ({ends})" if ends else ""
        share = f"{percent(ratio['value'], 0)} of the right answers stay right without the animal{between}."
    block = view.scores["protocols"].get(found["protocol"], {})
    return {
        **{key: found[key] for key in ("says", "warning", "protocol", "n", "individuals", "too_few")},
        "how": _how(found["masks"]),
        "rows": [_row(found, *one) for one in PHOTOS],
        "ratio": share,
        "warn_from": percent(found["warn_from"], 0),
        "chance": percent(found["chance"]),
        "optimistic": block.get("optimistic"),
        "strips": [_strip(view, one) for one in found["strips"]],
    }


def _how(masks: Mapping[str, Any]) -> str:
    if masks["by"] is None:
        return "There are no masks, so the middle of each box is taken for the animal. "
    whole = masks["whole"]
    rest = f" For {whole:,} of {masks['photos']:,} photos there is no mask: the middle of the box is taken for it."
    return f"The animal is what the segmenter {masks['by']} says.{rest if whole else ''} "


def _row(found: Mapping[str, Any], name: str, words: str, difference: str) -> dict[str, Any]:
    one = found[name]
    beside = found[difference] if difference else {"value": None, "low": None, "high": None}
    return {
        "words": words,
        "share": one["value"],
        "value": percent(one["value"]),
        "interval": interval("accuracy", (one["low"], one["high"])),
        "difference": figure("accuracy", beside["value"], sign=True) if difference else "",
        "paired": interval("accuracy", (beside["low"], beside["high"]), sign=True) if difference else "",
    }


def _strip(view: View, strip: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Three photos with their words, each with its picture without the place."""
    photos = []
    for (name, mark), (uri, bare) in zip(MARKS, strip["pictures"], strict=True):
        row = strip[name]
        who = view.identity[row] or "unknown individual"
        said = {"query": [], "found": ["with the place"], "instead": ["without the place"]}[name]
        photos.append(
            {
                "uri": uri,
                "bare": bare,
                "who": who,
                "words": [*said, *view.words(row)],
                "alt": f"{who}, {', '.join(view.words(row))}",
                "mark": mark,
            }
        )
    return photos
