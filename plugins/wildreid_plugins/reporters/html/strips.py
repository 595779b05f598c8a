"""Rows of photos: a query, the individuals it was found nearest to, and its own with its rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page import Larger, thumbnail
from wildreid_plugins.reporters.html.view import UNKNOWN, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ranking

LONGEST = 160
LIMIT = 4_000_000
"""Characters of all pictures, at most; the map has its own."""


@dataclass(frozen=True)
class _Match:
    """A photo beside a query: its row, the score, its rank, and whether it is the query's own individual."""

    row: int
    score: float
    rank: int
    own: bool


def choose(view: View, *, most: int) -> dict[str, list[int]]:
    """Which queries to show: the most confident mistakes, the hardest right answers, a random sample.

    At most one query an encounter in each set, so that a burst does not fill the page. A mistake is a
    wrong name, or an individual that is not in the gallery and was yet believed to be.
    """
    ranking = view.ranking
    best = ranking.first_score.astype(float)
    decision = view.results.decision
    taken = (
        ~ranking.mated & (best >= decision.threshold) if decision is not None else np.zeros(len(best), bool)
    )
    mistakes = (ranking.mated & (ranking.own_rank > 1)) | taken
    right = ranking.own_rank == 1
    margin = np.where(right, ranking.own_score - ranking.impostor_score, np.inf)
    drawn = np.random.default_rng(int(view.scores.get("seed", 0))).permutation(len(best))
    return {
        "mistakes": _one_an_encounter(
            view, np.flatnonzero(mistakes)[np.argsort(-best[mistakes], kind="stable")], most
        ),
        "hardest": _one_an_encounter(
            view, np.flatnonzero(right)[np.argsort(margin[right], kind="stable")], most
        ),
        "sample": _one_an_encounter(view, drawn, most),
    }


def _one_an_encounter(view: View, queries: NDArray[np.int64], most: int) -> list[int]:
    chosen: dict[str, int] = {}
    for query in queries.tolist() if most else ():
        chosen.setdefault(view.encounter[view.ranking.queries[query]] or str(query), query)
        if len(chosen) == most:
            break
    return list(chosen.values())


def strips(view: View, *, most: int, nearest: int, larger: Larger) -> dict[str, list[dict[str, Any]]]:
    """The three sets of strips, each strip as ``parts.html`` draws it."""
    ranking = view.ranking
    chosen = choose(view, most=most)
    queries = list(dict.fromkeys(query for some in chosen.values() for query in some))
    matches = {query: _matches(view, ranking, query, nearest) for query in queries}
    shown = {match.row for near, own in matches.values() for match in (*near, own) if match is not None}
    rows = sorted({int(ranking.queries[query]) for query in queries} | shown)
    uses = (nearest + 2) * sum(map(len, chosen.values())) / max(1, len(rows))
    uris = _thumbnails(view, rows, uses=uses, larger=larger)
    return {
        name: [_strip(view, ranking, query, *matches[query], uris) for query in some]
        for name, some in chosen.items()
    }


def _thumbnails(
    view: View, rows: list[int], *, uses: float, larger: Larger
) -> dict[int, tuple[str | None, str | None]]:
    """Each row's picture and its larger size; coarser until all, shown `uses` times each, are small enough."""
    images = view.images(rows, larger.longest or LONGEST)
    for quality in (72, 50, 30, 15):
        found = [None if image is None else thumbnail(image, LONGEST, quality=quality) for image in images]
        if uses * sum(map(len, filter(None, found))) <= LIMIT:
            break
    return dict(zip(rows, zip(found, map(larger, images), strict=True), strict=True))


def _matches(view: View, ranking: Ranking, query: int, nearest: int) -> tuple[list[_Match], _Match | None]:
    """The nearest individuals, and the query's own where it is not among them."""
    name, rank = view.identity[ranking.queries[query]], int(ranking.own_rank[query])
    found = []
    for place in range(min(nearest, ranking.top.shape[1])):
        if ranking.top[query, place] < 0:
            break
        own = ranking.individuals[ranking.top[query, place]] == name
        row, score = int(ranking.top_rows[query, place]), float(ranking.top_scores[query, place])
        # a tie counts against the model, so its own individual's rank may be worse than its place
        found.append(_Match(row, score, rank if own else place + 1, own))
    if rank == 0 or any(match.own for match in found):
        return found, None
    return found, _Match(_own_row(view, ranking, query), float(ranking.own_score[query]), rank, True)


def _own_row(view: View, ranking: Ranking, query: int) -> int:
    """The photo that gave the query's own individual its score, among those the protocol let it meet."""
    row = ranking.queries[query]
    same = ranking.gallery[view.identity[ranking.gallery] == view.identity[row]]
    same = same[same != row]
    scores = view.results.embeddings[same] @ view.results.embeddings[row]
    return int(same[np.argmin(np.abs(scores - ranking.own_score[query]))])


def _strip(
    view: View,
    ranking: Ranking,
    query: int,
    nearest: list[_Match],
    own: _Match | None,
    uris: dict[int, tuple[str | None, str | None]],
) -> dict[str, Any]:
    row = int(ranking.queries[query])
    who, said = view.identity[row], view.words(row)
    if ranking.own_rank[query] == 0:
        said = ["not in the gallery: the right answer is “new”", *said]

    def matched(match: _Match) -> dict[str, Any]:
        words = [*_how(view, match), *view.words(match.row)]
        mark = "right" if match.own else "wrong"
        return _picture(view, match.row, uris, who=view.identity[match.row], words=words, mark=mark)

    asked = "unknown individual" if who == UNKNOWN else who
    return {
        "query": _picture(view, row, uris, who=asked, words=said, mark="query"),
        "nearest": [matched(match) for match in nearest],
        "own": matched(own) if own is not None else None,
    }


def _how(view: View, match: _Match) -> list[str]:
    """Rank and score, and for the first the probability that it is right."""
    said = [f"rank {match.rank} · {match.score:.3f}"]
    decision = view.results.decision
    if match.rank == 1 and decision is not None and decision.tells:
        probability = decision.probability(np.array([match.score], np.float32))[0]
        said.append(f"{100 * probability:.0f}\N{NO-BREAK SPACE}% sure")
    return said


def _picture(
    view: View,
    row: int,
    uris: dict[int, tuple[str | None, str | None]],
    *,
    who: str,
    words: list[str],
    mark: str,
) -> dict[str, Any]:
    return {
        "uri": uris[row][0],
        "large": uris[row][1],
        "alt": f"{who}, {', '.join(view.words(row))}",
        "who": who,
        "words": words,
        "mark": mark,
        "reason": "the photo cannot be read",
    }
