"""The decisions that count now, counted once for each state of the gallery and each line of the reviews."""

from __future__ import annotations

from wildreid.gallery.state import State
from wildreid.review.applying import Made
from wildreid.review.journal import Review, Reviews, standing


class Standing:
    """Remembers what counted last; any number of threads may ask.

    Args:
        reviews: all lines; there only ever come more.
    """

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews
        self._last: tuple[State, int, list[Review]] | None = None

    def of(self, state: State) -> list[Review]:
        """The decisions that were undone neither here nor at the command line; not to be changed."""
        lines = list(self._reviews.lines)
        last = self._last
        if last is None or last[0] is not state or last[1] != len(lines):
            made = Made.of(state)
            last = self._last = state, len(lines), [line for line in standing(lines) if made.counts(line)]
        return last[2]
