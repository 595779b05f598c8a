"""Miners against a search through all pairs."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from wildreid.kinds import Miner
from wildreid_plugins.miners.distance_weighted import DistanceWeighted
from wildreid_plugins.miners.easy import Easy
from wildreid_plugins.miners.hard import Hard
from wildreid_plugins.miners.multi_similarity import MultiSimilarityMining
from wildreid_plugins.miners.none import NoMining
from wildreid_plugins.miners.semi_hard import SemiHard

LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3])  # the last has no positive


def embeddings() -> torch.Tensor:
    return normalize(torch.randn(10, 4, generator=torch.Generator().manual_seed(1)))


def sides(anchor: int) -> tuple[list[int], list[int]]:
    own = [j for j in range(10) if j != anchor and LABELS[j] == LABELS[anchor]]
    return own, [j for j in range(10) if LABELS[j] != LABELS[anchor]]


def pairs(miner: Miner) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    mined = miner.build()(embeddings(), LABELS)
    assert mined is not None
    a, p, b, n = (part.tolist() for part in mined)
    return set(zip(a, p, strict=True)), set(zip(b, n, strict=True))


@pytest.mark.parametrize(
    ("miner", "positive", "negative"),
    [
        (Hard(), min, max),
        (Hard(positives="easy"), max, max),
        (Easy(), max, min),
        (Easy(positives="hard"), min, min),
    ],
)
def test_batch_easy_and_hard(miner: Miner, positive: type, negative: type) -> None:
    similarity = embeddings() @ embeddings().T
    expected_p, expected_n = set(), set()
    for anchor in range(9):
        own, others = sides(anchor)
        expected_p.add((anchor, positive(own, key=lambda j: similarity[anchor, j])))
        expected_n.add((anchor, negative(others, key=lambda j: similarity[anchor, j])))
    assert pairs(miner) == (expected_p, expected_n)


def test_all_positives() -> None:
    found, _ = pairs(Hard(positives="all"))
    assert found == {(anchor, own) for anchor in range(9) for own in sides(anchor)[0]}


@pytest.mark.parametrize(("positives", "pick"), [("hard", min), ("easy", max)])
def test_semi_hard_negatives_are_the_nearest_behind_the_positive(positives: str, pick: type) -> None:
    similarity = embeddings() @ embeddings().T
    expected_p, expected_n = set(), set()
    for anchor in range(9):
        own, others = sides(anchor)
        positive = pick(own, key=lambda j: similarity[anchor, j])
        behind = [j for j in others if similarity[anchor, j] < similarity[anchor, positive]]
        if behind:
            expected_p.add((anchor, positive))
            expected_n.add((anchor, max(behind, key=lambda j: similarity[anchor, j])))
    assert expected_p
    assert pairs(SemiHard(positives=positives)) == (expected_p, expected_n)  # type: ignore[arg-type]


def test_multi_similarity_keeps_pairs_that_overlap() -> None:
    similarity, epsilon = embeddings() @ embeddings().T, 0.1
    expected_p, expected_n = set(), set()
    for anchor in range(9):
        own, others = sides(anchor)
        hardest = max(similarity[anchor, j] for j in others)
        farthest = min(similarity[anchor, j] for j in own)
        expected_p |= {(anchor, j) for j in own if similarity[anchor, j] - epsilon < hardest}
        expected_n |= {(anchor, j) for j in others if similarity[anchor, j] + epsilon > farthest}
    positives, negatives = pairs(MultiSimilarityMining(epsilon=epsilon))
    assert positives == expected_p
    assert {pair for pair in negatives if pair[0] < 9} == expected_n


def test_distance_weighted_draws_evenly_over_distances() -> None:
    """Many negatives at a usual distance and a few near: the near ones are drawn far more often than by chance."""
    torch.manual_seed(0)
    anchor = torch.zeros(2, 32)
    anchor[:, 0] = 1
    far = normalize(torch.randn(60, 32))
    near = normalize(anchor[:1] + 0.12 * torch.randn(3, 32))
    vectors = torch.cat([anchor, near, far])
    labels = torch.tensor([0, 0, *range(1, 64)])
    miner = DistanceWeighted(farthest=2).build()
    drawn = [int(n) for _ in range(200) for a, _, n in zip(*miner(vectors, labels), strict=True) if a == 0]
    assert len(drawn) > 300
    assert sum(2 <= n < 5 for n in drawn) / len(drawn) > 5 * 3 / 63


def test_none_names_nothing() -> None:
    assert NoMining().build()(embeddings(), LABELS) is None
