"""What the stages hand to one another, as plain arrays; no heavy library is needed to name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wildreid.choice import Choice, choice_of
from wildreid.crop import Crop as Crop
from wildreid.crop import LocalFeatures as LocalFeatures
from wildreid.decision import Decision as Decision
from wildreid.decision import Verdict as Verdict
from wildreid.showing import (
    ranking_html,
    ranking_in_words,
    results_html,
    results_in_words,
    scores_html,
    scores_in_words,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.data.table import Table

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]


TIE = 1e-6
"""Scores no further apart are ties, which count against the model."""


@dataclass(frozen=True, repr=False)
class Ranking:
    """Who each query was taken for, under one protocol; never a matrix of queries by gallery.

    Q queries, G gallery images, N gallery individuals, K the number kept. Rows are positions in the table
    that was ranked. Ties (scores within 1e-6) count against the model in every rank.

    Attributes:
        protocol: the protocol's name, such as ``"cross-encounter"``.
        queries: (Q,) rows of the query images.
        gallery: (G,) rows of the gallery images.
        individuals: the N identities of the gallery, sorted.
        top: (Q, K) positions in `individuals`, best first, -1 where fewer are valid.
        top_scores: (Q, K) cosine similarity of each, -inf where there is none.
        top_rows: (Q, K) the row of the gallery image that gave that score, -1 where there is none.
        top_images: (Q, K) rows of the nearest valid gallery images whatever their identity, -1 padded.
        top_image_scores: (Q, K) their cosine similarity.
        own_rank: (Q,) rank of the query's own individual, 1 is first; 0 for a non-mated query.
        own_score: (Q,) its score; NaN for a non-mated query.
        impostor_score: (Q,) the best score of any other individual; -inf where there is none.
        true_ranks: the ranks of each query's true valid images among all valid images, one query after
            another; a flat array.
        true_offsets: (Q + 1,) where each query's part of `true_ranks` begins and ends.
        valid: (Q,) how many gallery images the query might be matched to.
        masked: (Q,) how many were taken out by the protocol (the query image itself is not counted).
    """

    protocol: str
    queries: Ints
    gallery: Ints
    individuals: tuple[str, ...]
    top: Ints
    top_scores: Floats
    top_rows: Ints
    top_images: Ints
    top_image_scores: Floats
    own_rank: Ints
    own_score: Floats
    impostor_score: Floats
    true_ranks: NDArray[np.int32]
    true_offsets: Ints
    valid: Ints
    masked: Ints

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(Q,) whether the query's identity has an image that it may be matched to."""
        return self.own_rank > 0

    def __repr__(self) -> str:
        return ranking_in_words(self)

    def _repr_html_(self) -> str:
        return ranking_html(self)

    @property
    def first_score(self) -> Floats:
        """(Q,) the score of the first individual, right or wrong; -inf where the gallery is empty."""
        import numpy as np

        return np.fmax(self.own_score, self.impostor_score)

    def mean_over_true(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """(Q,) the mean of each query's part of an array laid out as `true_ranks`; NaN where it has none."""
        import numpy as np

        counts = np.diff(self.true_offsets)
        means = np.full(len(counts), np.nan)
        if len(values):
            means[counts > 0] = np.add.reduceat(values, self.true_offsets[:-1][counts > 0], dtype=float)
        return means / np.maximum(counts, 1)

    @property
    def true_positions(self) -> Ints:
        """Where each of `true_ranks` stands among its query's own, from 1."""
        import numpy as np

        starts = np.repeat(self.true_offsets[:-1], np.diff(self.true_offsets))
        return np.arange(1, len(self.true_ranks) + 1) - starts


@dataclass(frozen=True)
class Missing:
    """A number that could not be estimated, and why; it is written as null with this reason, never as 0."""

    reason: str


@dataclass(frozen=True)
class Combined:
    """A figure computed from several means over queries, so that it too can have an interval.

    Attributes:
        parts: each (Q,), one value a query, NaN where the query does not count.
        figure: from the mean of each part to the figure, element by element for arrays of means.
    """

    parts: tuple[NDArray[np.float64], ...]
    figure: Callable[..., Any]

    @property
    def value(self) -> float:
        """The figure itself; NaN where a part has no value."""
        import numpy as np

        counted = [part[np.isfinite(part)] for part in self.parts]
        return float(self.figure(*(part.mean() for part in counted))) if all(map(len, counted)) else np.nan


@dataclass(frozen=True)
class Evidence:
    """All that a metric may look at: one ranking, and what it was made from.

    Attributes:
        ranking: the ranking under one protocol.
        table: the table whose rows the ranking names.
        embeddings: (rows, width) unit length, one for each row of the table.
        decision: threshold and calibration fitted on validation queries; None where there are none.
        seed: for metrics that draw a sample.
    """

    ranking: Ranking
    table: Table
    embeddings: Floats
    decision: Decision | None = None
    seed: int = 0

    @cached_property
    def individuals(self) -> Ints:
        """(Q,) a number for each query's individual, by name; unknown ones have their group for a name."""
        import pandas as pd

        asked = self.table.rows.iloc[self.ranking.queries]
        names = ("individual " + asked["identity"]).fillna("group " + asked["group"])
        return pd.factorize(names, sort=True)[0]

    @cached_property
    def encounters(self) -> Ints:
        """(Q,) a number for each query's encounter."""
        import pandas as pd

        return pd.factorize(self.table["encounter"].iloc[self.ranking.queries], sort=True)[0]

    @cached_property
    def known(self) -> Ints:
        """The places among the queries of those whose identity is known, in the order of their ids."""
        asked = self.table.rows.iloc[self.ranking.queries].reset_index(drop=True)
        ids = asked.loc[asked["identity"].notna(), "id"]
        return ids.sort_values().index.to_numpy()

    def reliability(self, bins: int = 15) -> tuple[NDArray[np.float64], NDArray[np.float64], Ints]:
        """Mean calibrated probability, share right and number of queries, in bins of equal mass.

        Raises:
            ValueError: there is no decision, or it knows no probability.
        """
        import numpy as np

        if self.decision is None or not self.decision.tells:
            raise ValueError("there is no probability")
        probability = self.decision.probability(self.ranking.first_score)
        right = self.ranking.own_rank == 1
        # by all that differs, so that the order of the rows does not decide which bin a query falls into
        order = np.lexsort((right, self.ranking.first_score, probability))
        parts = [part for part in np.array_split(order, bins) if len(part)]
        return (
            np.array([probability[part].mean() for part in parts]),
            np.array([right[part].mean() for part in parts]),
            np.array([len(part) for part in parts]),
        )

    def few_shots(self, k: int) -> NDArray[np.float64]:
        """(Q,) see `wildreid.shots.few_shots`: the chance of being right with k gallery photos an individual."""
        from wildreid.shots import few_shots

        return few_shots(self, k)

    def by_individual(self, values: NDArray[Any], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(Q,) the mean of (Q,) values over an individual's counted queries, at the first of them; else NaN.

        The mean of what comes out is a mean over individuals, whatever number of queries each has.
        """
        import numpy as np

        found = np.full(len(values), np.nan)
        whose, first, place = np.unique(self.individuals[counted], return_index=True, return_inverse=True)
        if len(whose):
            means = np.bincount(place, values[counted]) / np.bincount(place)
            found[np.flatnonzero(counted)[first]] = means
        return found


class Scores(dict[str, Any]):
    """The figures of one protocol: a block of ``scores.json``, which shows itself.

    ``scores["scores"]["accuracy@1"]`` has ``value``, ``low`` and ``high`` of its interval, ``n``, ``note``, and
    the ``reason`` where the value is None. Beside the figures stand ``label`` (the protocol in words),
    ``optimistic`` (why the figures flatter, or None), ``counts``, ``curves``, ``slices`` and ``probes``.
    """

    def __repr__(self) -> str:
        return scores_in_words(self)

    def _repr_html_(self) -> str:
        return scores_html(self)


@dataclass(frozen=True, repr=False)
class Results:
    """A finished run, as a reporter and a caller of the API see it.

    Attributes:
        folder: the run's folder, which holds every artefact.
        name: the run's name.
        stamp: a word that must stand wherever a figure of this run is shown, such as
            ``"sample"``; often empty.
        recipe: the resolved recipe as plain data.
        run: versions, plugins, seeds, hashes and the machine.
        table: the split table, with groups and encounters.
        embeddings: (rows, width) unit length, one for each row of the table.
        rankings: one for each protocol, by its name.
        scores: what ``scores.json`` holds; ``scores["protocols"]`` has a `Scores` for each protocol.
        history: one mapping an epoch, as in ``history.jsonl``.
        decision: threshold and calibration; None where none could be fitted.
        shortcut: how right the model is with the animal hidden and with the place hidden, as ``shortcut.json``
            holds it; None where that was not measured.
        lines: pairs of photos with their matched points, as ``lines.json`` holds them; without matchers, with a
            heat map of what made their embeddings alike.
        no_lines: why there is neither; empty where nothing is amiss.
        read: gives row n's image as uint8 (height, width, 3), cropped to its box, at most the asked number
            of pixels on its longer side; raises UserError for one that cannot be read.
    """

    folder: Path
    name: str
    stamp: str
    recipe: Mapping[str, Any]
    run: Mapping[str, Any]
    table: Table
    embeddings: Floats
    rankings: Mapping[str, Ranking]
    scores: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...] = ()
    decision: Decision | None = None
    shortcut: Mapping[str, Any] | None = None
    lines: tuple[Mapping[str, Any], ...] = ()
    no_lines: str = ""
    read: Callable[[int, int], NDArray[np.uint8]] | None = field(default=None, repr=False)

    @property
    def choice(self) -> Choice | None:
        """Which epoch's weights were chosen, and how sure that was; None where nothing was trained."""
        return choice_of(self.history, self.recipe)

    def __repr__(self) -> str:
        return results_in_words(self)

    def _repr_html_(self) -> str:
        return results_html(self)
