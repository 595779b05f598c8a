"""Lines on the pages: the points of a photo and of its candidates' nearest images that match, off until opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wildreid.gallery import thumbnails
from wildreid.identification.outputs import Identified
from wildreid.page import count, matched_points, thumbnail

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINED = 50
"""Encounters whose pairs have lines, so that the page stays small."""
MOST = 30
"""Lines of a pair, the surest."""
SIDE, QUALITY = 240, 55
"""Pixels and JPEG quality of its pictures."""
UNITS = 640
"""Of the drawing, along the side of a picture."""


def exemplars(found: Identified, query: int, individual: str, number: int) -> list[tuple[int, float]]:
    """An individual's images that a query is most like, by what ranked, each of another encounter, and scores."""
    if found.comparison is not None:
        return found.comparison.exemplars(query, individual, number)
    asked = found.rows.iloc[[query]]
    return found.search.exemplars(found.embeddings[query], individual, number, asked)


def pair(
    found: Identified, query: int, row: int, individual: str, image: NDArray[np.uint8]
) -> list[dict[str, Any]]:
    """A query and an image of the gallery with their matched points; none where none match, or nothing was matched.

    Args:
        found: the answers.
        query: position of the photo in its rows.
        row: of the image.
        individual: who is on it.
        image: the photo's picture.
    """
    state = found.search.state
    other = thumbnails.load(state.folder, str(state.rows["key"].iloc[row]))
    if found.comparison is None or found.photos is None or other is None:
        return []
    size = found.comparison.matchers.built[0].size
    place = found.photos.placed(int(found.where([query])[0]), size)
    lines = found.comparison.lines(query, row, place)
    if not lines:
        return []
    sides = [side for one in (image, other) for side in _inside(one, UNITS)]
    drawn = [
        [*(low + share * span for share, (low, span) in zip(line[:4], sides, strict=True)), line[4]]
        for line in lines
    ]
    words = f"{count(len(lines), 'point')} {'matches' if len(lines) == 1 else 'match'} with {individual}"
    pictures = (thumbnail(image, SIDE, quality=QUALITY), thumbnail(other, SIDE, quality=QUALITY))
    svg = matched_points(
        pictures, drawn, size=UNITS, words=words, most=MOST, height=max(sides[1][1], sides[3][1])
    )
    return [{"words": words, "svg": svg}]


def _inside(image: NDArray[np.uint8], side: int) -> list[tuple[float, float]]:
    """Where a picture begins in a square that it is fitted into, and how much of it it fills: across, and down."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    return [((side - scale * length) / 2, scale * length) for length in (width, height)]
