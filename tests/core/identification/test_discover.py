from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from tests.core.gallery.made import unit

from wildreid.identification.discover import (
    agreement,
    apart,
    discover,
    encounter_similarity,
    fit_cut,
    separate,
)  # fmt: skip
from wildreid.registry import Registry

CUT = 0.8


def world(
    people: int = 8, bursts: int = 4, frames: int = 3, *, seed: int = 0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Individuals that lie far apart, each seen in some bursts of some frames."""
    draw = np.random.default_rng(0)
    centers = unit(people, 1, width=64)
    rows, embeddings = [], []
    for who in range(people):
        for burst in range(bursts):
            for frame in range(frames):
                number = len(rows)
                rows.append(
                    {
                        "key": f"{draw.integers(2**60):032x}",
                        "image": f"{number}.jpg",
                        "identity": f"who {who}",
                        "timestamp": pd.Timestamp("2024-05-01") + pd.Timedelta(days=burst, seconds=frame),
                        "burst": 100 * who + burst,
                    }
                )
                embeddings.append(centers[who] + 0.03 * draw.standard_normal(64))
    found = np.asarray(embeddings, np.float32)
    return pd.DataFrame(rows), found / np.linalg.norm(found, axis=1, keepdims=True)


def option(name: str, **fields: object):
    return Registry().choose("clusterer", name).model_validate(fields)


@pytest.mark.parametrize("name", ["average-linkage", "hdbscan", "connected-components"])
def test_each_clusterer_finds_individuals_that_lie_far_apart(name: str) -> None:
    rows, embeddings = world()
    proposed = discover(rows, embeddings, option(name).cluster, cut=CUT)
    found = agreement(proposed, rows["identity"], rows["burst"])
    assert found is not None
    assert (found.encounters, found.ari, found.ghosts, found.false_merges, found.count_error) == (
        32,
        1,
        0,
        0,
        0,
    )
    assert proposed.str.startswith("new-").all()


@pytest.mark.parametrize("name", ["average-linkage", "hdbscan", "connected-components"])
def test_names_do_not_depend_on_the_order_and_stay_when_photos_are_added(name: str) -> None:
    rows, embeddings = world()
    first = discover(rows, embeddings, option(name).cluster, cut=CUT)
    shuffled = np.random.default_rng(3).permutation(len(rows))
    again = discover(rows.iloc[shuffled], embeddings[shuffled], option(name).cluster, cut=CUT)
    pd.testing.assert_series_equal(again.sort_index(), first)
    early = (rows["timestamp"] < pd.Timestamp("2024-05-03")).to_numpy()
    before = discover(rows[early], embeddings[early], option(name).cluster, cut=CUT)
    pd.testing.assert_series_equal(before, first[early])


@pytest.mark.parametrize("name", ["average-linkage", "hdbscan", "connected-components"])
def test_one_burst_is_one_animal_and_one_frame_is_two(name: str) -> None:
    rows, embeddings = world(people=3)
    rows["burst"] = np.arange(len(rows))
    rows.loc[[0, 17, 30], "burst"] = 0  # a burst across all three, whatever they look like
    rows.loc[[3, 4], "image"] = "both.jpg"
    rows.loc[[4], "burst"] = 4
    proposed = discover(rows, embeddings, option(name).cluster, cut=CUT)
    assert proposed[[0, 17, 30]].nunique() == 1
    assert proposed[3] != proposed[4]


def test_a_chain_of_look_alikes_merges_by_single_linkage_and_not_by_the_average() -> None:
    angles = np.linspace(0, np.pi, 40)
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = pd.DataFrame(
        {
            "key": [f"{n:032x}" for n in range(40)],
            "image": [f"{n}.jpg" for n in range(40)],
            "timestamp": pd.Timestamp("2024-05-01"),
            "burst": np.arange(40),
        }
    )
    assert discover(rows, embeddings, option("connected-components").cluster, cut=0.95).nunique() == 1
    proposed = discover(rows, embeddings, option("average-linkage").cluster, cut=0.95)
    assert proposed.nunique() >= 4
    for _, own in proposed.groupby(proposed):
        assert (embeddings[own.index] @ embeddings[own.index].T).mean() > 0.9


def test_similarity_of_bursts_is_the_mean_of_best_matches_both_ways() -> None:
    embeddings, burst = unit(9, 1), np.array([2, 0, 1, 0, 2, 2, 1, 0, 0])
    found = encounter_similarity(embeddings, burst)
    for a in range(3):
        for b in range(3):
            scores = embeddings[burst == a] @ embeddings[burst == b].T
            naive = (scores.max(axis=1).mean() + scores.max(axis=0).mean()) / 2
            assert found[a, b] == pytest.approx(naive, abs=1e-6)


def test_separate_divides_only_what_may_not_be_together() -> None:
    similarity = np.full((6, 6), 0.9, np.float32)
    similarity[0, 3] = similarity[3, 0] = similarity[0, 4] = similarity[4, 0] = -np.inf
    found = separate(np.array([0, 0, 0, 0, 0, -1]), similarity)
    assert found[0] != found[3]
    assert found[0] != found[4]
    assert len(set(found.tolist())) == 3
    untouched = np.full((4, 4), 0.5, np.float32)
    assert separate(np.array([5, 5, 7, 7]), untouched).tolist() == [0, 0, 1, 1]


def test_apart_are_bursts_that_share_a_frame() -> None:
    left, right = apart(np.array(["a", "a", "b", "c"], object), np.array([0, 1, 1, 2]))
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == {(0, 1), (1, 0)}


def test_agreement_is_what_plain_loops_count() -> None:
    draw = np.random.default_rng(0)
    labels = pd.Series([f"who {n}" for n in draw.integers(0, 7, 60)])
    proposed = pd.Series([f"new-{n}" for n in draw.integers(0, 9, 60)])
    found = agreement(proposed, labels, pd.Series(np.arange(60)))
    assert found is not None
    pairs = list(zip(proposed, labels, strict=True))
    clusters, people = Counter(proposed), Counter(labels)
    both = Counter(pairs)
    precision = np.mean([both[pair] / clusters[pair[0]] for pair in pairs])
    recall = np.mean([both[pair] / people[pair[1]] for pair in pairs])
    assert found.b_cubed_precision == pytest.approx(precision)
    assert found.b_cubed_recall == pytest.approx(recall)
    assert found.b_cubed == pytest.approx(2 * precision * recall / (precision + recall))
    assert found.ghosts == sum(len({c for c, w in both if w == who}) - 1 for who in people)
    assert found.false_merges == sum(len({w for c, w in both if c == cluster}) - 1 for cluster in clusters)
    assert found.count_error == len(clusters) - len(people)
    together = sum(math.comb(n, 2) for n in both.values())
    of_clusters, of_people = (sum(math.comb(n, 2) for n in c.values()) for c in (clusters, people))
    chance = of_clusters * of_people / len(list(combinations(range(60), 2)))
    assert found.ari == pytest.approx((together - chance) / ((of_clusters + of_people) / 2 - chance))
    assert found.ari == pytest.approx(adjusted_rand_score(labels, proposed))
    assert agreement(proposed, pd.Series([None] * 60), pd.Series(np.arange(60))) is None


def test_nothing_unknown_gives_no_proposal() -> None:
    rows, embeddings = world(people=2)
    found = discover(rows[:0], embeddings[:0], option("average-linkage").cluster, cut=CUT)
    assert len(found) == 0
    one = discover(rows[:1], embeddings[:1], option("hdbscan").cluster, cut=CUT)
    assert len(one) == 1


def test_the_cut_is_where_merges_turn_wrong() -> None:
    rows, embeddings = world()
    burst = pd.factorize(rows["burst"])[0]
    who = rows["identity"].to_numpy(object)
    cut = fit_cut(embeddings, burst, who)
    similarity = encounter_similarity(embeddings, burst)
    one = who[np.unique(burst, return_index=True)[1]]
    same = one[:, None] == one[None, :]
    assert cut is not None
    assert similarity[~same].max() < cut < similarity[same].min()
    assert fit_cut(embeddings, burst, np.full(len(rows), "one", object)) is None
    assert fit_cut(embeddings, burst, burst.astype(str).astype(object)) is None
    assert fit_cut(embeddings[:0], burst[:0], who[:0]) is None
