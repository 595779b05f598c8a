"""The graph of a gallery's encounters: what follows decisions, additions and undo equals what is made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.core.gallery.made import MARK, RULE, WIDTH, unit
from tests.core.review.doubled import doubled

from wildreid.gallery.state import State
from wildreid.gallery.store import Gallery
from wildreid.identification.discover import encounter_similarity
from wildreid.review.catalogue import Catalogue
from wildreid.review.journal import Review
from wildreid.review.order import SURE, TRUST, weight


def weights(catalogue: Catalogue) -> dict[frozenset[str], float]:
    """By the first keys of both encounters; a pair that says nothing is no pair."""
    keys = catalogue._keys
    return {frozenset((keys[i][0], keys[j][0])): w for (i, j), w in catalogue.graph.weights.items() if w}


def clusters(catalogue: Catalogue) -> set[frozenset[str]]:
    return {frozenset(catalogue._keys[n][0] for n in one) for one in catalogue.graph.clusters}


def compared(keys: list[str], others: list[str], decision: str) -> Review:
    return Review(1, "", "Ann", "t", "compare", tuple(keys), tuple(others), decision)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return doubled(tmp_path / "g")


def first(state: State, name: str) -> list[str]:
    """The keys of an individual's first encounter."""
    return state.keys_of(name)[:2]


def test_weights_are_the_calibrated_log_odds(gallery: Gallery) -> None:
    state = gallery.state
    catalogue = Catalogue(state)
    names = ["bear 1", "bear 2"]
    rows = [np.array([state.row_of[key] for key in first(state, name)]) for name in names]
    vectors = state.embeddings(np.concatenate(rows))
    score = encounter_similarity(vectors, np.array([0, 0, 1, 1]))[0, 1]
    chance = RULE.decision.probability(np.array([score]), burst=True)[0]
    pair = frozenset(first(state, name)[0] for name in names)
    assert weights(catalogue)[pair] == pytest.approx(weight(chance), abs=1e-5)


def test_it_follows_what_is_decided_and_undone(gallery: Gallery) -> None:
    catalogue = Catalogue(gallery.state)
    before = weights(catalogue), clusters(catalogue)
    state = gallery.state
    pair = first(state, "bear 1"), first(state, "bear 2")
    line = compared(*pair, "different")
    catalogue.follow(gallery.state, [line])
    assert weights(catalogue)[frozenset((pair[0][0], pair[1][0]))] == -SURE
    catalogue.follow(gallery.state, [])
    assert (weights(catalogue), clusters(catalogue)) == before
    catalogue.follow(gallery.state, [compared(*pair, "cannot-tell")])
    assert frozenset((pair[0][0], pair[1][0])) not in weights(catalogue)
    gallery.different(*pair)  # at the command line
    catalogue.follow(gallery.state, [compared(*pair, "cannot-tell")])
    assert weights(catalogue)[frozenset((pair[0][0], pair[1][0]))] == -SURE
    gallery.undo()
    catalogue.follow(gallery.state, [])
    assert (weights(catalogue), clusters(catalogue)) == before


def test_who_says_who_it_is_says_that_it_is_none_of_the_others(gallery: Gallery) -> None:
    state = gallery.state
    keys, one, other = first(state, "bear 0 again"), first(state, "bear 0"), first(state, "bear 1")
    shown = tuple({"id": key, "name": "", "score": None, "p": None} for key in (one[0], other[0]))
    line = Review(1, "", "Ann", "t", "identify", tuple(keys), (one[0],), "same", shown=shown)
    catalogue = Catalogue(state)
    before = weights(catalogue)
    catalogue.follow(state, [line])
    assert weights(catalogue)[frozenset((keys[0], one[0]))] == SURE
    assert weights(catalogue)[frozenset((keys[0], other[0]))] == -TRUST
    catalogue.follow(state, [replace(line, decision="new", others=())])
    assert {weights(catalogue)[frozenset((keys[0], key))] for key in (one[0], other[0])} == {-TRUST}
    for nothing in ([], [replace(line, blind=True)]):
        catalogue.follow(state, nothing)
        assert weights(catalogue) == before


def test_merges_splits_renames_removals_and_additions_are_followed(gallery: Gallery) -> None:
    catalogue = Catalogue(gallery.state)

    def same_as_anew() -> None:
        catalogue.follow(gallery.state, [])
        anew = Catalogue(gallery.state)
        assert clusters(catalogue) - clusters(anew) <= {one for one in clusters(catalogue) if len(one) == 1}
        assert clusters(anew) <= clusters(catalogue)
        ours, theirs = weights(catalogue), weights(anew)
        both = ours.keys() & theirs.keys()
        assert len(both) > 40
        assert {pair: ours[pair] for pair in both} == pytest.approx({pair: theirs[pair] for pair in both})
        if len(ours) == len(theirs):  # where some are gone, others are among the nearest
            assert [task.id for task in anew.tasks()] == [task.id for task in catalogue.tasks()]

    gallery.merge("bear 0 again", "bear 0")
    same_as_anew()
    gallery.rename("bear 0", "Otis")
    same_as_anew()
    gallery.split("bear 3", "bear 4", gallery.state.keys_of("bear 3")[6:])
    same_as_anew()
    gallery.remove("bear 2")
    same_as_anew()
    gallery.undo()
    same_as_anew()
    new = pd.DataFrame({"key": [f"ff{n:030x}" for n in range(4)], "image": [f"{n}.jpg" for n in range(4)],
                        "identity": ["bear 1", "bear 1", "bear 9", "bear 9"], "camera": "cam",
                        "visit": ["a", "a", "b", "b"], "timestamp": pd.Timestamp("2025-01-01")})  # fmt: skip
    gallery.add(new, unit(4, 9, WIDTH), model=MARK)
    catalogue.follow(gallery.state, [])
    assert any("ff" + "0" * 30 in one and len(one) == 4 for one in clusters(catalogue))
    assert len(catalogue._keys) == 17


def test_two_animals_of_one_photo_are_never_one(gallery: Gallery) -> None:
    rows = pd.DataFrame({"key": ["aa" + "0" * 30, "bb" + "0" * 30], "image": ["x.jpg", "x.jpg"],
                         "identity": ["one", "two"], "camera": "cam", "visit": ["c", "c"],
                         "timestamp": pd.Timestamp("2025-01-01")})  # fmt: skip
    vectors = np.repeat(unit(1, 3, WIDTH), 2, axis=0)
    gallery.add(rows, vectors, model=MARK)
    assert weights(Catalogue(gallery.state))[frozenset(rows["key"])] == -SURE
