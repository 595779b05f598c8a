"""Photos matched to a gallery point by point: shortlist, match, fuse, by the same code as in a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.gallery.fold import GONE
from wildreid.identification.lines import Line, between
from wildreid.identification.local import Beside, Matchers
from wildreid.identification.search import Search
from wildreid.matching.candidates import Candidates
from wildreid.matching.local import Local
from wildreid.matching.pairs import PairScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints

    Doubles = NDArray[np.float64]

CELLS = 2**22
"""Similarities that are held at once."""


class Asked:
    """Photos that are asked about, and the gallery images that each may be matched to; it is a `Facing`.

    Args:
        search: the gallery.
        rows: of the photos.
        barred: (photos, individuals) whom a person said a photo does not show.
    """

    def __init__(self, search: Search, rows: pd.DataFrame, barred: NDArray[np.bool_]) -> None:
        self.search, self.gallery = search, search.gallery
        self.whose = search.state.codes[self.gallery].astype(np.int64)
        self.queries = len(search.state.codes) + np.arange(len(rows))
        self._seen, self._barred = search.seen_as(rows), barred

    def __len__(self) -> int:
        return len(self.queries)

    def valid(self, query: int) -> NDArray[np.bool_]:
        """(G,) whether each image is of a side and species that may answer, and of nobody that was ruled out."""
        found: NDArray[np.bool_] = self._seen[query][self.gallery] != GONE
        return np.asarray(found & ~self._barred[query, self.whose])

    def same(self, query: int) -> NDArray[np.bool_]:
        """(G,) who is on a photo that is asked about is not known."""
        return np.zeros(len(self.gallery), bool)

    def similarities(self, embeddings: Floats) -> Cosines:
        """Cosine similarity of photos and gallery."""
        return Cosines(self.search, embeddings)


class Cosines:
    """(G,) cosine similarities by photo, computed block by block from the mapped embeddings.

    Args:
        search: the gallery.
        embeddings: (photos, width) of unit length.
    """

    def __init__(self, search: Search, embeddings: Floats) -> None:
        self._search = search
        self._asked = np.ascontiguousarray(embeddings, np.float32)
        self._block = max(1, CELLS // max(1, len(search.gallery)))
        self._start, self._scores = -1, np.empty((0, 0), np.float32)

    def __call__(self, query: int) -> Doubles:
        """(G,) for the photo at this place."""
        start = query // self._block * self._block
        if start != self._start:
            self._start = start
            self._scores = self._search.each(self._asked[start : start + self._block])
        found: Doubles = self._scores[query - start].astype(np.float64)
        return found

    def vectors(self, query: int, places: Ints) -> tuple[Floats, Floats]:
        """The embedding of a photo, and those at these places of the gallery."""
        return self._asked[query], self._search.state.embeddings(self._search.gallery[places])


class Comparison:
    """What comparing photos with a gallery point by point gave.

    Attributes:
        matchers: what was matched and fused with.
        scores: (photos, individuals) fused score of each photo's best image; -inf for an individual without an
            image that it may be matched to.
        candidates: the shortlists and what was matched.
        beside: local features of the gallery's rows, and behind them of the photos, by matcher.
        looked: local features of the photos, by matcher.
        at: (photos,) their rows in these.
        known: scores of pairs by their key, by matcher.
    """

    def __init__(
        self,
        asked: Asked,
        candidates: Candidates[Asked],
        matchers: Matchers,
        beside: Sequence[Beside],
        looked: Sequence[Local],
        at: Ints,
        known: Sequence[dict[bytes, float]],
    ) -> None:
        self.matchers, self.candidates, self.beside, self._asked = matchers, candidates, beside, asked
        self.looked, self.at, self.known = looked, at, known
        state = asked.search.state
        self.scores = np.full((len(asked), len(state.individuals)), -np.inf, np.float32)
        starts = state.by_individual[1][:-1]
        for query in range(len(asked) if len(starts) else 0):
            self.scores[query] = np.maximum.reduceat(self._fused(query), starts)

    def _fused(self, query: int) -> Doubles:
        return self.candidates.fused(query, self.matchers.curves, self.matchers.fusion)

    def exemplars(self, query: int, individual: str, count: int) -> list[tuple[int, float]]:
        """An individual's images that a photo is most like, each of another encounter: rows and fused scores."""
        search = self._asked.search
        own = np.flatnonzero(self._asked.whose == search.state.code(individual))
        scores = self._fused(query)[own]
        keep = np.isfinite(scores)
        return search.of_encounters(self._asked.gallery[own[keep]], scores[keep], count)

    def lines(self, query: int, row: int, place: NDArray[np.float32]) -> list[Line]:
        """The points of a photo and of an image of the gallery that match.

        Args:
            query: the photo.
            row: of the image.
            place: (4,) where the square that the matcher looked at lies in the photo's picture.
        """
        first = self.beside[0]
        one = first.take([int(self._asked.queries[query])]), place
        return between(self.matchers, one, (first.take([row]), first.kept.heads["place"][row]))

    def __len__(self) -> int:
        return len(self._asked)

    @property
    def fewest(self) -> int:
        """Pairs that the photo was matched to that was matched to fewest."""
        return min((len(one) for one in self.candidates.shortlists), default=0)

    @property
    def exhaustive(self) -> bool:
        """Whether every photo was matched to all images that it may be matched to."""
        return self.candidates.exhaustive

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "matchers": [one.name for one in self.matchers.options],
            "fusion": self.matchers.fusion.name,
            "pairs": self.candidates.budget,
            "fewest": self.fewest,
            "exhaustive": self.exhaustive,
        }

    @property
    def words(self) -> str:
        """How far was matched, in a sentence."""
        names = " and ".join(one.name for one in self.matchers.options)
        gallery = len(self._asked.gallery)
        if self.exhaustive:
            return f"Matched by {names}: each photo to all images of the gallery that it may be matched to."
        return (
            f"Matched by {names}: each photo to its {self.candidates.budget} nearest of {gallery} gallery images; "
            "beyond them the embedding's order stays."
        )

    def notes(self) -> list[str]:
        """What one should know before trusting it."""
        said = []
        photos, names = len(self), self.matchers.options[0].name
        budget = min(self.candidates.budget, self.matchers.pairs)
        short = sum(
            len(own) < min(self.candidates.budget, int(self._asked.valid(n).sum()))
            for n, own in enumerate(self.candidates.shortlists)
        )
        if short:
            said.append(
                f"the seconds were too few for {short} of {photos} photos, of which one was matched to "
                f"{self.fewest} images alone"
            )
        elif budget < self.matchers.pairs and not self.exhaustive:
            said.append(
                f"each photo was matched to {budget} images, and probabilities are meant for "
                f"{self.matchers.pairs}: who is not among them looks less probable"
            )
        if without := int((self.beside[0].counts[self._asked.queries] == 0).sum()):
            said.append(f"in {without} of {photos} photos {names} found no point; their pairs score 0")
        state = self._asked.search.state
        lacking = int((~state.local[names].there[self._asked.gallery]).sum())
        if lacking:
            said.append(
                f"{lacking} of {len(self._asked.gallery)} images of the gallery have no local features and count "
                "as if no point matched; add them with reid gallery features"
            )
        return said


def check_budget(pairs: int | None, seconds: float | None) -> None:
    """Refuse a budget by which nothing could be matched."""
    if (pairs is not None and pairs < 1) or (seconds is not None and not seconds > 0):
        raise UserError(
            "a photo is matched to one image at least, in more than 0 seconds",
            where="`pairs=…`, `seconds=…`",
            cure="give more, or do without: `matching=False`",
        )


def compare(
    search: Search,
    matchers: Matchers,
    rows: pd.DataFrame,
    embeddings: Floats,
    barred: NDArray[np.bool_],
    looked: Sequence[Local],
    at: Ints,
    *,
    pairs: int | None = None,
    seconds: float | None = None,
    known: Sequence[dict[bytes, float]] | None = None,
) -> Comparison:
    """Match photos to a gallery.

    Args:
        search: the gallery; it has local features.
        matchers: its own.
        rows: of the photos: by whose viewpoint and species some images may not be matched to them.
        embeddings: (photos, width) unit length.
        barred: (photos, individuals) whom a photo does not show.
        looked: local features, by matcher.
        at: the rows of these that the photos have.
        pairs: gallery images that each is matched to, at most; None: as in the run of the model.
        seconds: that the pairs of a photo may take; None: no matter.
        known: scores of pairs that were matched before, by matcher; those that are matched now are added.
    """
    asked = Asked(search, rows, barred)
    candidates = Candidates(
        asked, embeddings, reranker=matchers.reranker, pairs=matchers.pairs if pairs is None else pairs
    )
    beside = matchers.beside(search.state, looked, at)
    known = [{} for _ in beside] if known is None else known
    scores = [PairScores(one, None, known=own) for one, own in zip(beside, known, strict=True)]
    candidates.match(scores, seconds=seconds)
    return Comparison(asked, candidates, matchers, beside, looked, at, known)
