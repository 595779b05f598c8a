from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from made.tables import make_table, simulated

from wildreid.artefacts import TIE, Evidence
from wildreid.evaluation.rank import rank

PROTOCOLS = ("image-loo", "cross-encounter")


def evidence_of(table, embeddings, protocol):
    return Evidence(rank(embeddings, table, protocol=protocol), table, embeddings)


def by_drawing_all(evidence, protocol, k):
    """Every gallery of k photos an individual that there is, one after the other."""
    rows = evidence.table.rows
    side = rows["apart_side"].fillna("").tolist() if "apart_side" in rows else [""] * len(rows)
    who, when = rows["identity"].tolist(), rows["encounter"].tolist()
    found = np.full(len(evidence.ranking.queries), np.nan)
    for place, query in enumerate(evidence.ranking.queries):
        valid = {}
        for image in evidence.ranking.gallery:
            own_encounter = who[image] == who[query] and when[image] == when[query]
            other_side = "" not in (side[image], side[query]) and side[image] != side[query]
            if image != query and not other_side and not (own_encounter and protocol == "cross-encounter"):
                valid.setdefault(who[image], []).append(image)
        if who[query] not in valid:
            continue
        names = list(valid)
        draws = [list(combinations(valid[name], min(k, len(valid[name])))) for name in names]
        right = []
        for drawn in product(*draws):
            best = {
                name: max(float(evidence.embeddings[query] @ evidence.embeddings[image]) for image in images)
                for name, images in zip(names, drawn, strict=True)
            }
            own = best.pop(who[query])
            right.append(all(own - score > TIE for score in best.values()))
        found[place] = np.mean(right)
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_equals_the_mean_over_every_possible_draw(protocol, k):
    table, embeddings = simulated(individuals=3, encounters=2, burst=2, noise=1.0, width=6)
    keep = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]  # one individual with fewer photos
    table, embeddings = table.with_rows(table.rows.iloc[keep]), embeddings[keep]
    evidence = evidence_of(table, embeddings, protocol)
    found = evidence.few_shots(k)
    np.testing.assert_allclose(found, by_drawing_all(evidence, protocol, k), atol=1e-9)
    assert k > 1 or 0 < np.nanmean(found) < 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("k", [1, 2])
def test_photos_that_are_kept_apart_are_not_drawn(protocol, k):
    """The other flank cannot answer, of the query's own individual and of others; the own encounter may still."""
    table, embeddings = simulated(individuals=3, encounters=2, burst=3, noise=1.0, width=6)
    rows = table.rows.assign(apart_side=["left", "left", "right"] * 5 + ["right", None, "left"])
    evidence = evidence_of(table.with_rows(rows), embeddings, protocol)
    found = evidence.few_shots(k)
    assert np.isnan(found).any() == (~evidence.ranking.mated).any()
    np.testing.assert_allclose(found, by_drawing_all(evidence, protocol, k), atol=1e-9)
    both = evidence_of(table, embeddings, protocol).few_shots(k)
    assert np.nanmax(np.abs(found - both)) > 0.01, "the other flank would have made a difference"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_with_all_photos_it_is_accuracy_at_1(protocol):
    table, embeddings = simulated(individuals=12, encounters=3, burst=2, noise=2.5)
    evidence = evidence_of(table, embeddings, protocol)
    right = np.where(evidence.ranking.mated, evidence.ranking.own_rank == 1, np.nan)
    np.testing.assert_allclose(evidence.few_shots(1000), right, atol=1e-9)


def test_more_photos_help():
    table, embeddings = simulated(individuals=12, encounters=4, burst=1, noise=2.5)
    evidence = evidence_of(table, embeddings, "cross-encounter")
    found = [np.nanmean(evidence.few_shots(k)) for k in (1, 2, 3)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_embeddings_that_are_all_alike_are_never_right():
    table, embeddings = simulated(individuals=4, encounters=2, burst=2)
    embeddings[:] = embeddings[0]
    assert np.nanmax(evidence_of(table, embeddings, "image-loo").few_shots(1)) == 0


def test_only_mated_queries_count():
    rows = [("a0", "A", "e0", "both"), ("a1", "A", "e1", "both"), ("b0", "B", "e2", "both")]
    evidence = evidence_of(make_table(rows), np.eye(3, dtype=np.float32), "cross-encounter")
    assert np.isfinite(evidence.few_shots(1)).tolist() == [True, True, False]
