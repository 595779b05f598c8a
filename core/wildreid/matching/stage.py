"""The stage between ranking and measuring: shortlist, match, fuse, and let count only what validation proves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from wildreid.artefacts import Missing, Ranking
from wildreid.evaluation.protocols import standing_in, usable
from wildreid.evaluation.rank import rank
from wildreid.matching.candidates import Candidates
from wildreid.matching.curve import LEAST, PairCurve
from wildreid.matching.figures import figures
from wildreid.matching.fitting import Gate, cross_fitted, draw_pairs, gate
from wildreid.matching.local import Featured, open_local
from wildreid.matching.pairs import PairScores
from wildreid.matching.place import control
from wildreid.matching.shown import shown_pairs
from wildreid.matching.sides import Sides, ranking_of
from wildreid.matching.words import in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.store import ImageStore
    from wildreid.data.table import Table
    from wildreid.kinds import Fusion, Reranker
    from wildreid.recipe import Recipe


@dataclass(frozen=True)
class Outcome:
    """What the stage makes of one protocol.

    Attributes:
        ranking: the one that stands, of the test part.
        embedding: the embedding's alone.
        validation: the same of the val part, on which the decision is fitted.
        scores_of: what it ranked by, from places among the queries to (n, G) scores; None: cosine similarities.
        told: what the report and the terminal say, and ``scores.json`` holds.
        matched: the candidates of the test part; None without matchers.
    """

    ranking: Ranking
    embedding: Ranking
    validation: Ranking
    scores_of: Callable[[Ints], NDArray[np.float64]] | None
    told: dict[str, Any]
    matched: Candidates[Sides] | None


class Stage:
    """Open for one run: features are extracted when it is entered, and scores of pairs kept until it is left.

    Args:
        recipe: its matchers, fusion, re-ranker and ``matching``.
        table: the split table.
        images: its images.
        embeddings: (rows, width) of unit length.
        device: to match on.
        cache: the folder of caches.

    Attributes:
        scores: of pairs, by matcher.
        points: by matcher, how many were found.
        first: what came of the first protocol that was run, of which pairs are shown.
    """

    def __init__(
        self,
        recipe: Recipe,
        table: Table,
        images: ImageStore,
        embeddings: Floats,
        *,
        device: str,
        cache: Path,
    ) -> None:
        self.recipe, self.table, self.embeddings = recipe, table, embeddings
        self.scores: list[PairScores] = []
        self.first: Outcome | None = None
        self._images, self._device, self._cache = images, device, cache
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        rows = self._rows()
        for option in self.recipe.matchers:
            kept: Any = {"cache": self._cache, "cache_gib": self.recipe.images.cache_gib}
            threads = max(1, self.recipe.training.workers)
            local = open_local(option, self._images, rows, device=self._device, threads=threads, **kept)
            self.scores.append(self._stack.enter_context(PairScores(local, **kept)))
        self.points = {one.local.option.name: self._points(one.local, rows) for one in self.scores}
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def decides(self) -> tuple[Any, ...]:
        """What decides a ranking beside the embedding, as plain data."""
        recipe = self.recipe
        names = {"matchers", "fusion", "reranker", "matching", "seed"}
        prints = [one.fingerprint() for one in recipe.matchers]
        return recipe.model_dump(mode="json", include=names), prints, recipe.evaluation.bootstrap

    def run(self, protocol: str, ranking: Ranking) -> Outcome:
        """Match the queries of one protocol, and say which ranking stands.

        Args:
            protocol: its name.
            ranking: of the test part, by the embedding alone.
        """
        recipe, table, embeddings = self.recipe, self.table, self.embeddings
        chosen = standing_in(table, protocol)
        val = Sides.of(table, chosen, part="val")
        test = Sides.of(table, protocol, part="test")
        keep = recipe.evaluation.keep
        standing, rankings = "embedding", {"embedding": ranking}
        validation = rank(embeddings, table, protocol=chosen, part="val", keep=keep)
        gates: dict[str, Gate | Missing] = {}
        reranker: Reranker | None = None
        scores_of = None
        if recipe.reranker is not None:
            anew = self._reranked(val, recipe.reranker)
            gates["re-ranked"] = gate(anew, validation, table, embeddings, seed=recipe.seed)
            rankings["re-ranked"] = self._reranked(test, recipe.reranker)
            if _open(gates["re-ranked"]):
                standing, validation, reranker = "re-ranked", anew, recipe.reranker
                scores_of = val.listing(self._unmatched(val, reranker).base)
        matched, curves = None, None
        if recipe.fusion is not None:
            tried, matched = self._candidates(val, reranker), self._candidates(test, reranker)
            curves, gates["fused"] = self._fused(tried, matched, validation, recipe.fusion, rankings)
            if _open(gates["fused"]) and curves is not None:
                by = partial(tried.fused, curves=curves, fusion=recipe.fusion)
                standing, validation, scores_of = "fused", ranking_of(val, by, keep=keep), val.listing(by)
        told = self._told(protocol, standing, gates, rankings, matched, curves, test)
        outcome = Outcome(rankings[standing], ranking, validation, scores_of, told, matched)
        self.first = self.first or outcome
        return outcome

    def shown(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Pairs of the ranking that stands with their matched points by the first matcher, as `shown_pairs`."""
        local = self.scores[0].local
        private = self.recipe.private
        return shown_pairs(outcome.ranking, self.table, self._images, local, private=private)

    def _reranked(self, sides: Sides, reranker: Reranker) -> Ranking:
        return ranking_of(sides, self._unmatched(sides, reranker).base, keep=self.recipe.evaluation.keep)

    def _fused(
        self,
        tried: Candidates[Sides],
        matched: Candidates[Sides],
        validation: Ranking,
        fusion: Fusion,
        rankings: dict[str, Ranking],
    ) -> tuple[tuple[PairCurve, ...] | None, Gate | Missing]:
        """Fit on val, and rank test: alone by each matcher, and fused; these are added to the rankings."""
        settings, keep, seed = self.recipe.matching, self.recipe.evaluation.keep, self.recipe.seed
        sample = draw_pairs(tried, self.scores, settings, seed=seed)
        curves = sample.curves(settings.calibration)
        honest = cross_fitted(tried, sample, fusion, settings.calibration, keep=keep)
        for number, one in enumerate(self.scores):
            alone = partial(matched.alone, matcher=number)
            rankings[f"{one.local.option.name} alone"] = ranking_of(matched.sides, alone, keep=keep)
        if curves is None or isinstance(honest, Missing):
            few = f"there are fewer than {LEAST} validation pairs of one animal, or of two, to fit on"
            return None, Missing(few)
        by = partial(matched.fused, curves=curves, fusion=fusion)
        rankings["fused"] = ranking_of(matched.sides, by, keep=keep)
        return curves, gate(honest, validation, self.table, self.embeddings, seed=seed)

    def _candidates(self, sides: Sides, reranker: Reranker | None) -> Candidates[Sides]:
        found = self._unmatched(sides, reranker)
        found.match(self.scores)
        return found

    def _unmatched(self, sides: Sides, reranker: Reranker | None) -> Candidates[Sides]:
        return Candidates(sides, self.embeddings, reranker=reranker, pairs=self.recipe.matching.pairs)

    def _told(
        self,
        protocol: str,
        standing: str,
        gates: dict[str, Gate | Missing],
        rankings: dict[str, Ranking],
        matched: Candidates[Sides] | None,
        curves: Sequence[PairCurve] | None,
        test: Sides,
    ) -> dict[str, Any]:
        recipe, settings = self.recipe, self.recipe.evaluation
        told: dict[str, Any] = {
            "stands": standing,
            "protocol": protocol,
            "reranker": recipe.reranker.name if recipe.reranker else None,
            "matchers": [one.name for one in recipe.matchers],
            "fusion": recipe.fusion.name if recipe.fusion else None,
            "gates": {
                name: {"reason": one.reason} if isinstance(one, Missing) else {**asdict(one), "open": one.open}
                for name, one in gates.items()
            },
            "figures": figures(
                rankings, self.table, self.embeddings,
                resamples=settings.bootstrap, confidence=settings.confidence, seed=recipe.seed,
            ),
        }  # fmt: skip
        if matched is not None:
            told |= {
                "pairs": recipe.matching.pairs,
                "gallery": len(test.gallery),
                "exhaustive": matched.exhaustive,
                "curves": [asdict(one) for one in curves] if curves else None,
                "points": self.points,
                "place": control(
                    test, self.table, self.scores, seed=recipe.seed, resamples=settings.bootstrap
                ),
            }
        return {**told, "says": in_words(told)}

    def _rows(self) -> Ints:
        """The rows that any protocol of the recipe matches."""
        sides = [
            Sides.of(self.table, name, part=part)
            for protocol in self.recipe.evaluation.protocols
            if usable(self.table, protocol) is None
            for name, part in ((protocol, "test"), (standing_in(self.table, protocol), "val"))
        ]
        empty = np.empty(0, np.int64)
        return np.unique(
            np.concatenate([empty, *(rows for one in sides for rows in (one.queries, one.gallery))])
        )

    def _points(self, local: Featured, rows: Ints) -> dict[str, Any]:
        counts = local.counts[rows]
        return {
            "images": len(rows),
            "without": int((counts == 0).sum()),
            "median": float(np.median(counts)) if len(counts) else 0.0,
            "anywhere": int(self._images.anywhere[rows].sum()),
        }


def _open(one: Gate | Missing) -> bool:
    return isinstance(one, Gate) and one.open
