"""The animal or the place: how right is a model when the animal is hidden, and when the place is?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wildreid.artefacts import Combined, Evidence, Ranking
from wildreid.evaluation.intervals import FEW, Bootstrap
from wildreid.evaluation.probes import BLANKED
from wildreid.evaluation.rank import rank
from wildreid.page import percent, thumbnail
from wildreid.progress import bar

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints
    from wildreid.data.store import ImageStore

Pixels = NDArray[np.uint8]
See = Callable[["Ints"], tuple[Pixels, Pixels]]
"""From rows of the table to their images (N, size, size, 3) and masks (N, size, size), 255 where the animal is."""

WARN = 0.25
"""The share of the right answers that may outlast the animal; from it on the model is said to know places."""
GREY = 127


def seen(images: ImageStore, rows: Ints, *, margin: float) -> tuple[Pixels, Pixels]:
    """Images and masks of some rows; without a mask to rely on, the middle of the box stands for the animal.

    Args:
        images: with a foreground or without.
        rows: positions in `images`.
        margin: of the boxes, as in the recipe.
    """
    if images.masked is None:
        pixels = images.take(rows)
        return pixels, np.repeat(middle(images.size, margin)[None], len(rows), axis=0)
    both = images.take(rows, masks=True)
    masks = both[..., 3].copy()
    masks[images.doubts[rows] != ""] = middle(images.size, margin)
    return both[..., :3], masks


def middle(size: int, margin: float) -> Pixels:
    """(size, size) 255 in the box where a margin is around it, at most 75 % of a side."""
    side = round(size * min(BLANKED, 1 / (1 + 2 * margin)))
    start = (size - side) // 2
    mask = np.zeros((size, size), np.uint8)
    mask[start : start + side, start : start + side] = 255
    return mask


def without_animal(images: Pixels, masks: Pixels) -> Pixels:
    """The images with the animal grey, and a little around it, so that its fur does not show."""
    from scipy import ndimage

    reach = 2 * (images.shape[1] // 64 + 1) + 1
    return _mixed(images, 255 - ndimage.maximum_filter(masks, size=(1, reach, reach)))


def without_place(images: Pixels, masks: Pixels) -> Pixels:
    """The images with all but the animal grey."""
    return _mixed(images, masks)


def _mixed(images: Pixels, kept: Pixels) -> Pixels:
    share = kept[..., None].astype(np.float32) / 255
    return np.rint(share * images + (1 - share) * GREY).astype(np.uint8)


def shortcut(
    evidence: Evidence,
    see: See,
    embed: Callable[[Pixels], Floats],
    *,
    part: str = "test",
    intervals: Bootstrap,
    batch: int = 64,
    strips: int = 6,
) -> dict[str, Any]:
    """Accuracy@1 of one protocol on the photos as they are, with the animal hidden, and with the place hidden.

    Query and gallery are changed alike. Photos of one animal are taken at few places, so what is still right
    without the animal is right by the place (and the outline, which a filled mask leaves).

    Args:
        evidence: of the protocol.
        see: gives pixels and masks of the table's rows.
        embed: (N, size, size, 3) uint8 to (N, width) float32 of unit length.
        part: where the queries are.
        intervals: by the evidence's individuals; the same draw for all three, so differences are paired.
        batch: images embedded at once.
        strips: photos to show that are right only where the place is seen.

    Returns:
        ``whole``, ``hidden``, ``alone``, ``lost`` (hidden less whole), ``gained`` (alone less whole) and ``ratio``
        (hidden by whole), each with ``value``, ``low`` and ``high``; ``chance``, ``n``, ``individuals``,
        ``too_few``, ``warn_from``, ``warning``, ``says``, and ``strips``. Or ``reason``, where nothing can be
        matched.
    """
    ranking = evidence.ranking
    if not ranking.mated.any():
        return {"reason": "no query has a match in the gallery"}
    rows = np.union1d(ranking.queries, ranking.gallery)
    hidden, alone = _embed_again(evidence, rows, see, embed, batch)
    again = partial(rank, table=evidence.table, protocol=ranking.protocol, part=part, keep=1)
    rankings = {"whole": ranking, "hidden": again(hidden), "alone": again(alone)}
    right = {name: np.where(one.mated, one.own_rank == 1, np.nan) for name, one in rankings.items()}
    found: dict[str, Any] = {name: _figure(values, intervals) for name, values in right.items()}
    found["lost"] = _figure(Combined((right["hidden"], right["whole"]), np.subtract), intervals)
    found["gained"] = _figure(Combined((right["alone"], right["whole"]), np.subtract), intervals)
    found["ratio"] = _figure(Combined((right["hidden"], right["whole"]), _ratio), intervals)
    own = np.diff(ranking.true_offsets)[ranking.mated]
    found["chance"] = float((own / ranking.valid[ranking.mated]).mean())
    found["n"] = int(ranking.mated.sum())
    found["individuals"] = len(np.unique(evidence.individuals[ranking.mated]))
    found["too_few"] = found["individuals"] < FEW
    ratio, low = found["ratio"]["value"], found["hidden"]["low"]
    above = (found["hidden"]["value"] if low is None else low) > found["chance"]
    found["warn_from"] = WARN
    found["warning"] = bool(ratio is not None and ratio >= WARN and above)
    found["says"] = _says(found)
    found["strips"] = _strips(evidence, rankings, right, see, strips)
    return found


def _says(found: dict[str, Any]) -> str:
    hidden, whole, alone = (percent(found[name]["value"]) for name in ("hidden", "whole", "alone"))
    chance = percent(found["chance"])
    figures = f"({whole} with both in sight, {alone} with the place hidden; chance is {chance})"
    if found["warning"]:
        named = "of the photos are still named rightly with the animal hidden"
        return f"{hidden} {named} {figures}: this model knows places."
    return (
        f"{hidden} of the photos are named rightly with the animal hidden {figures}: nothing says that this model "
        "knows places."
    )


def _embed_again(
    evidence: Evidence, rows: Ints, see: See, embed: Callable[[Pixels], Floats], batch: int
) -> tuple[Floats, Floats]:
    """(table rows, width) embeddings with the animal and with the place hidden, zero for rows not asked for."""
    hidden = np.zeros(evidence.embeddings.shape, dtype=np.float32)
    alone = np.zeros_like(hidden)
    for start in bar(range(0, len(rows), batch), "hiding animals and places"):
        some = rows[start : start + batch]
        images, masks = see(some)
        hidden[some] = embed(without_animal(images, masks))
        alone[some] = embed(without_place(images, masks))
    return hidden, alone


def _figure(values: NDArray[np.float64] | Combined, intervals: Bootstrap) -> dict[str, float | None]:
    value = values.value if isinstance(values, Combined) else float(np.nanmean(values))
    low, high = intervals.interval(values) or (None, None)
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}


def _ratio(part: Any, whole: Any) -> Any:
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def _strips(
    evidence: Evidence,
    rankings: dict[str, Ranking],
    right: dict[str, NDArray[np.float64]],
    see: See,
    most: int,
) -> list[dict[str, Any]]:
    """Photos that are right only where the place is seen: at most one for each encounter, the surest first.

    Each has ``query``, ``found`` (the photo that it was matched to) and ``instead`` (that without the place) as
    rows, and their ``pictures`` as the network sees them, beside each the animal alone.
    """
    ranking = rankings["whole"]
    queries = np.flatnonzero((right["whole"] == 1) & (right["alone"] == 0))
    queries = queries[np.argsort(-ranking.own_score[queries], kind="stable")]
    _, first = np.unique(evidence.encounters[queries], return_index=True)
    names = ("query", "found", "instead")
    shown = []
    for query in queries[np.sort(first)][:most].tolist():
        rows = [ranking.queries[query], ranking.top_rows[query, 0], rankings["alone"].top_rows[query, 0]]
        images, masks = see(np.array(rows))
        bare = without_place(images, masks)
        pictures = [[thumbnail(image, 132) for image in pair] for pair in zip(images, bare, strict=True)]
        shown.append({**dict(zip(names, map(int, rows), strict=True)), "pictures": pictures})
    return shown
