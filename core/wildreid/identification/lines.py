"""The points of two photos that match, as lines over their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wildreid.gallery.features import HEAD
from wildreid.gallery.state import State
from wildreid.identification.local import Matchers, in_picture
from wildreid.matching.local import unpacked
from wildreid.matching.shown import KEPT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import LocalFeatures
    from wildreid.gallery.features import Points
    from wildreid.identification.outputs import Identified

Line = tuple[float, float, float, float, float]
"""x and y in one picture, x and y in another, each from 0 to 1, and the confidence."""


def lines_of(
    state: State, matchers: Matchers, key: str, other: str, found: Identified | None = None
) -> list[Line]:
    """See `wildreid.identification.opened.OpenGallery.explain`; by the first matcher."""
    one, two = (_features(state, matchers, name, found) for name in (key, other))
    if one is None or two is None:
        return []
    return between(matchers, one, two)[:KEPT]


Seen = tuple["LocalFeatures", "NDArray[np.float32]"]
"""The local features of one photo, and where the square that they are measured in lies in its picture."""


def between(matchers: Matchers, one: Seen, two: Seen) -> list[Line]:
    """The matched points of two photos, the surest first."""
    matched = matchers.built[0].lines(one[0], two[0])
    ends = [in_picture(place, matched, start) for (_, place), start in ((one, 0), (two, 2))]
    rows = np.concatenate([np.clip(end, 0, 1) for end in ends] + [matched[:, 4:]], axis=1)
    return [(float(a), float(b), float(c), float(d), float(sure)) for a, b, c, d, sure in rows.round(4)]


def _features(state: State, matchers: Matchers, key: str, found: Identified | None) -> Seen | None:
    """Of a photo that is asked about, else of one in the gallery; None where there are none."""
    if found is not None and found.photos is not None:
        here = np.flatnonzero(found.table["key"].eq(key).fillna(False).to_numpy(bool))
        if len(here):
            return _first(matchers, matchers.points(found.photos, here[:1])[0], 0)
    row = state.row_of.get(key)
    return None if row is None else _first(matchers, state.local[matchers.options[0].name], row)


def _first(matchers: Matchers, points: Points, row: int) -> Seen | None:
    head = points.heads[row]
    assert points.heads.dtype == HEAD
    if not head["key"].any():
        return None
    return unpacked(points.take(np.array([row])), matchers.built[0]), head["place"]
