"""Pairs of photos with their matched points, chosen for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page.thumbnails import thumbnail

if TYPE_CHECKING:
    from wildreid.artefacts import Ranking
    from wildreid.data.table import Table
    from wildreid.matching.local import Enlargeable, Featured

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
        one = pair_of(images, local, row, other)
        if one["points"]:
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
