"""A run as its page shows it: who is on each photo, and what may be shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.errors import UserError
from wildreid.page import Veil

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ranking, Results

UNKNOWN = ""
"""In the place of a name that is not known; it cannot be mistaken for one."""


class View:
    """What the sections of the page share.

    Attributes:
        results: the run.
        veil: what makes cameras anonymous and withholds paths.
        scores: all scores, with texts already seen to.
        headline: the protocol of the headline.
        protocol: the protocol that the page shows in detail: the headline's, or where that could not be
            used, as without dates, the first that could.
        block: the scores of `protocol`.
        ranking: the ranking of `protocol`.
        identity: (rows,) names, `UNKNOWN` where there is none.
        encounter: (rows,) encounter ids; never shown as they are, since they hold cameras.
    """

    def __init__(self, results: Results) -> None:
        rows = results.table.rows
        cameras = [str(name) for name in rows["camera"].dropna().unique()]
        self.results = results
        self.veil = Veil(
            cameras,
            places=(results.table.root, results.folder.absolute()),
            private=bool(results.recipe.get("private")),
        )
        self.scores: Mapping[str, Any] = self.veil.data(results.scores)
        blocks = self.scores["protocols"]
        self.headline = str(results.scores["headline"])
        usable = [name for name in (self.headline, *blocks) if not blocks[name].get("reason")]
        self.protocol = usable[0] if usable else self.headline
        self.block: Mapping[str, Any] = blocks[self.protocol]
        self.ranking: Ranking = results.rankings[self.protocol]
        self.identity = _texts(rows["identity"])
        self.camera = np.array([self.veil.camera(name) if name else "" for name in _texts(rows["camera"])])
        self.encounter = _texts(rows["encounter"]) if "encounter" in rows else np.array([""] * len(rows))
        self.part = _texts(rows["part"]) if "part" in rows else np.array([""] * len(rows))
        stamps = rows["timestamp"]
        self.date = np.array([f"{time:%Y-%m-%d %H:%M}" if time == time else "undated" for time in stamps])

    @property
    def scored(self) -> str:
        """What the scores of the ranking are, in words."""
        told = self.block.get("matching", {"stands": "embedding"})
        if told["stands"] == "fused":
            return f"embedding and {' and '.join(told['matchers'])} in one, {told['fusion']}"
        return "cosine similarity" if told["stands"] == "embedding" else f"similarity, {told['reranker']}"

    def words(self, row: int) -> list[str]:
        """Camera and date of a photo, and its path where that is not withheld."""
        said = [self.date[row], self.camera[row]]
        if self.veil.private:
            said.append(str(self.results.table["image"][row]))
        return [text for text in said if text]

    def images(self, rows: Sequence[int], longest: int) -> list[NDArray[np.uint8] | None]:
        """The photos of these rows; None for one that cannot be read."""
        read = self.results.read
        if read is None:
            return [None] * len(rows)

        def one(row: int) -> NDArray[np.uint8] | None:
            try:
                return read(int(row), longest)
            except UserError:
                return None

        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(one, rows))


def _texts(column: Any) -> NDArray[np.str_]:
    return np.array(column.fillna("").astype(str).tolist(), dtype=str)
