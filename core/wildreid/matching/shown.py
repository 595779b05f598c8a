"""Pairs of photos with their matched points or their heat, chosen for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page.thumbnails import thumbnail

if TYPE_CHECKING:
    from wildreid.artefacts import Ranking
    from wildreid.data.pixels import ImageRows
    from wildreid.data.table import Table
    from wildreid.matching.local import Enlargeable, Featured
    from wildreid.training.embedder import Embedder

EACH = 6
"""Right and wrong answers that are shown, the surest of each, one for each encounter."""
KEPT = 60
"""Lines of a pair that are kept, the surest."""
SIDE = 360
"""Pixels of a picture."""


def shown_pairs(
    ranking: Ranking, table: Table, images: Enlargeable, local: Featured, *, private: bool
) -> list[dict[str, Any]]:
    """The surest right and wrong answers of a ranking that have a matched point.

    Args:
        ranking: the one that stands.
        table: whose rows it names.
        images: of its rows.
        local: their features by one matcher.
        private: whether photos that are withheld may be shown.

    Returns:
        For each ``query`` and ``found`` (rows), ``same``, ``matcher``, ``points`` (matched), ``lines`` (as
        `wildreid.kinds.LocalMatcher.lines`), ``size`` (pixels that these are measured in) and ``pictures``.
    """

    def drawn(row: int, other: int) -> dict[str, Any] | None:
        one = pair_of(images, local, row, other)
        return one if one["points"] else None

    return _surest(ranking, table, drawn, private=private)


def shown_heat(
    ranking: Ranking, table: Table, images: ImageRows, embedder: Embedder, *, device: str, private: bool
) -> list[dict[str, Any]]:
    """The surest right and wrong answers of a ranking, with the places that made the embeddings alike.

    Args:
        ranking: the one that stands.
        table: whose rows it names.
        images: of its rows, as the network sees them.
        embedder: the network.
        device: to compute on.
        private: whether photos that are withheld may be shown.

    Returns:
        For each ``query`` and ``found`` (rows), ``same``, ``similarity``, ``heat`` (of both photos, as
        `wildreid.training.heat.Heat`) and ``pictures``.

    Raises:
        UserError: the network does not say where in a photo its features come from.
    """
    pairs = _surest(ranking, table, lambda row, other: {}, private=private)
    return [
        {**pair, **heat}
        for pair, heat in zip(
            pairs,
            heat_of(images, embedder, [(one["query"], one["found"]) for one in pairs], device=device),
            strict=True,
        )
    ]


def heat_of(
    images: ImageRows, embedder: Embedder, pairs: Sequence[tuple[int, int]], *, device: str
) -> list[dict[str, Any]]:
    """Heat maps of pairs of rows, and both pictures as the network sees them; see `shown_heat`."""
    from wildreid.training.heat import heat_maps

    if not pairs:
        return []
    first, second = (images.take([pair[side] for pair in pairs]) for side in (0, 1))
    return [
        {
            "similarity": round(heat.similarity, 4),
            "heat": [[[round(float(number), 5) for number in line] for line in one] for one in heat.maps],
            "pictures": [thumbnail(one, SIDE) for one in both],
        }
        for heat, *both in zip(heat_maps(embedder, first, second, device=device), first, second, strict=True)
    ]


def _surest(
    ranking: Ranking,
    table: Table,
    drawn: Callable[[int, int], dict[str, Any] | None],
    *,
    private: bool,
) -> list[dict[str, Any]]:
    """The surest wrong and right answers that something can be drawn of, one for each encounter."""
    encounters = table["encounter"].to_numpy()
    names = np.array([*ranking.individuals, ""])
    order = np.argsort(-ranking.top_scores[:, 0], kind="stable")
    found: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    met = set()
    for query in order:
        row, other = int(ranking.queries[query]), int(ranking.top_rows[query, 0])
        same = bool(table["identity"].iloc[row] == names[ranking.top[query, 0]])
        hidden = not private and (table.withheld(row) or table.withheld(other))
        if other < 0 or hidden or encounters[row] in met or len(found[same]) == EACH:
            continue
        one = drawn(row, other)
        if one is not None:
            met.add(encounters[row])
            found[same].append({"query": row, "found": other, "same": same, **one})
    return [*found[False], *found[True]]


def pair_of(images: Enlargeable, local: Featured, row: int, other: int) -> dict[str, Any]:
    """The matched points of two rows, and both pictures."""
    size = local.matcher.size
    lines = local.matcher.lines(local.take([row]), local.take([other]))
    return {
        "matcher": local.option.name,
        "points": len(lines),
        "lines": _rounded(lines[:KEPT]),
        "size": size,
        "pictures": [thumbnail(images.enlarged(one, size)[..., :3], SIDE) for one in (row, other)],
    }


def _rounded(lines: Any) -> Sequence[Sequence[float]]:
    return [[round(float(number), 3) for number in line] for line in lines]
