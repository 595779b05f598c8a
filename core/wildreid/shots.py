"""How often the right individual comes first where the gallery has k photos of each: exact, not by drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Evidence

BLOCK = 256
"""Queries whose similarities are held at once."""


def few_shots(evidence: Evidence, k: int) -> NDArray[np.float64]:
    """(Q,) the chance that a mated query's individual is first when k photos of each are drawn; NaN for others.

    Of each individual k photos are drawn without putting back from those that the query may be matched to (all,
    where it has fewer), each set as likely as any other. With o_1 ≤ o_2 ≤ … the n scores of the query's own
    photos, the best of the k drawn is o_i with the chance C(i - 1, k - 1) / C(n, k). Another individual with m
    photos, of which b score below o_i, stays below it with the chance C(b, k) / C(m, k); individuals are drawn
    apart, so these multiply. A tie counts against the model. That is what many draws come near to.

    Args:
        evidence: a ranking, and the embeddings and table it was made from.
        k: photos of each individual, one at least.
    """
    import numpy as np
    import pandas as pd

    from wildreid.artefacts import TIE

    ranking, rows = evidence.ranking, evidence.table.rows
    identity = pd.factorize(rows["identity"])[0]
    encounter = pd.factorize(rows["encounter"])[0]
    gallery = ranking.gallery
    whose = np.unique(identity[gallery], return_inverse=True)[1]
    sizes = np.bincount(whose)
    images = np.asarray(evidence.embeddings[gallery], dtype=np.float32)
    masked = bool(ranking.masked.any())  # whether the query's own encounter may not answer
    chances = _LogChoose(max(int(sizes.max(initial=1)), 1), k)
    found = np.full(len(ranking.queries), np.nan)
    asked = np.flatnonzero(ranking.mated)
    for start in range(0, len(asked), BLOCK):
        places = asked[start : start + BLOCK]
        queries = ranking.queries[places]
        scores = np.asarray(evidence.embeddings[queries], dtype=np.float32) @ images.T
        for place, query, row in zip(places, queries, scores, strict=True):
            mine = identity[gallery] == identity[query]
            valid = mine & (gallery != query)
            if masked:
                valid &= encounter[gallery] != encounter[query]
            own = np.sort(row[valid].astype(float))
            # how many of each other individual's photos are not below each of the own ones
            reached = np.searchsorted(own - TIE, row[~mine].astype(float), side="right")
            hit = reached > 0
            above = np.zeros((len(sizes), len(own) + 1), dtype=np.int64)
            np.add.at(above, (whose[~mine][hit], reached[hit] - 1), 1)
            above = above[:, ::-1].cumsum(axis=1)[:, ::-1][:, :-1]
            rivals = np.flatnonzero(above.any(axis=1))
            stays = chances.below(sizes[rivals, None] - above[rivals], sizes[rivals, None])
            found[place] = float(np.exp(chances.best(len(own)) + stays.sum(axis=0)).sum())
    return found


class _LogChoose:
    """Logarithms of the chances of `few_shots`, from a table of log C(n, k)."""

    def __init__(self, most: int, k: int) -> None:
        import numpy as np

        self.k = k
        self.factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])

    def __call__(self, n: NDArray[np.int64], k: NDArray[np.int64] | int) -> NDArray[np.float64]:
        import numpy as np

        there = n >= k
        n, k = np.where(there, n, 0), np.where(there, k, 0)
        chosen = self.factorials[n] - self.factorials[k] - self.factorials[n - k]
        return np.where(there, chosen, -np.inf)

    def below(self, low: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
        """That k of `size` photos are all among the `low` ones; of fewer than k, all are drawn."""
        import numpy as np

        k = np.minimum(self.k, size)
        return self(low, k) - self(size, k)

    def best(self, own: int) -> NDArray[np.float64]:
        """That each of `own` photos, the least alike first, is the best of the k drawn."""
        import numpy as np

        k = min(self.k, own)
        return self(np.arange(own), k - 1) - self(np.array([own]), k)
