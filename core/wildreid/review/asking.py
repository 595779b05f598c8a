"""The question as it is shown; what is likely asked next is worked out before anybody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.identification.identify import Answer, identify
from wildreid.identification.search import Search
from wildreid.review import questions, views
from wildreid.review.catalogue import Catalogue
from wildreid.review.journal import Review
from wildreid.review.tasks import Task

if TYPE_CHECKING:
    from wildreid.gallery.state import State
    from wildreid.review.applying import Newcomers
    from wildreid.review.desk import Desk

AHEAD = 1
"""Questions that are worked out before they are asked."""


class Asking:
    """What the gallery says to the questions of a desk, remembered until the gallery changes.

    Args:
        desk: whose they are.

    Attributes:
        catalogue: what is to be asked about the gallery itself.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.catalogue: list[Task] = []
        self._graph: Catalogue | None = None
        self._comparing, self._stopping = threading.Lock(), threading.Event()
        self._search: Search | None = None
        self._answers: dict[str, Answer] = {}

    def search(self, state: State) -> Search:
        """Of this state."""
        if self._search is None or self._search.state is not state:
            self._search, self._answers = Search(state), {}
        return self._search

    def view(
        self, task: Task, reviewer: str, lines: Sequence[Review], state: State, *, blind: bool, settles: bool
    ) -> dict[str, Any]:
        """A question as the page shows it.

        Args:
            task: what is asked.
            reviewer: whom.
            lines: the decisions that count.
            state: the gallery.
            blind: as a second look.
            settles: as one on which two people disagree.
        """
        search, newcomers = self.search(state), self._desk.newcomers
        if task.mode == "compare":
            return views.of_pair(search, task)
        assert newcomers is not None
        about = [one for one in lines if one.task == task.id and not one.blind and one.mode == "identify"]
        if blind or settles:
            seed = f"{task.id} {reviewer}"
            return views.of_second_look(search, task, newcomers, about[-1], blind=blind, seed=seed)
        view = views.of_encounter(search, task, newcomers, self._answer(search, task, newcomers))
        return {**view, "matched": newcomers.opened.matches}

    def compare(self) -> None:
        """Look for encounters of the gallery that may be one animal, or of one name and two animals."""
        with self._comparing:
            self._graph = Catalogue.of(self._desk.gallery.state, self._stopping)
        self.follow()

    def stop(self) -> None:
        """Compare no more; what is being compared is left."""
        self._stopping.set()
        with self._comparing:
            self._graph = None

    def follow(self) -> None:
        """Ask about the gallery as it is after what was decided."""
        desk = self._desk
        if self._stopping.is_set() or not self._comparing.acquire(blocking=False):
            return  # it is being compared, and followed after that
        try:
            if self._graph is not None:
                self._graph.follow(desk.gallery.state, desk.standing())
                self.catalogue = self._graph.tasks(thorough=desk.settings.thorough)
        finally:
            self._comparing.release()

    def prepare(self) -> None:
        """Work out what the next person would wait for."""
        desk, state = self._desk, self._desk.gallery.state
        search = self.search(state)
        search.ready()
        newcomers = desk.newcomers
        if newcomers is None:
            return
        left = questions.still_open(desk, "", "identify", desk.standing(), state)
        for task in [one for one in left if not desk.leased(one)][:AHEAD]:
            self._answer(search, task, newcomers)

    def _answer(self, search: Search, task: Task, newcomers: Newcomers) -> Answer:
        """Who is on an encounter of new photos, by the gallery as it is now."""
        answers = self._answers
        if task.id not in answers:
            at = np.array([newcomers.places[key] for key in task.keys])
            rows = newcomers.found.rows.iloc[at].reset_index(drop=True).assign(burst=0)
            comparison = newcomers.opened.compared(search, newcomers.found, at)
            answers[task.id] = identify(
                search, rows, newcomers.found.embeddings[at], top=views.CANDIDATES, comparison=comparison
            )[1][0]
        return answers[task.id]
