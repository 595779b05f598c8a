from __future__ import annotations

import numpy as np
import pytest
from made.tables import make_table

from wildreid.artefacts import Evidence
from wildreid.evaluation.intervals import Bootstrap
from wildreid.evaluation.rank import rank
from wildreid.evaluation.shortcut import WARN, middle, shortcut, without_animal, without_place

SIZE = 16
ANIMALS, PHOTOS = 8, 12


def herd(*, telling: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images with an animal in the middle before a place, its own where that is telling; masks; who."""
    random = np.random.default_rng(0)
    who = np.arange(ANIMALS * PHOTOS) // PHOTOS
    coats = random.integers(0, 255, (ANIMALS, SIZE // 2, SIZE // 2, 3))
    places = random.integers(0, 255, (len(who), SIZE, SIZE, 3))
    images = places[who if telling else np.arange(len(who))]
    masks = np.zeros((len(who), SIZE, SIZE), np.uint8)
    inside = slice(SIZE // 4, 3 * SIZE // 4)
    images[:, inside, inside] = coats[who]
    masks[:, inside, inside] = 255
    return images.astype(np.uint8), masks, who


def look(images: np.ndarray) -> np.ndarray:
    """A network that sees all pixels alike."""
    flat = images.reshape(len(images), -1).astype(np.float32) - 127
    flat += 1e-3 * np.arange(flat.shape[1])
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def measured(*, telling: bool, eyes=look, strips: int = 8):
    images, masks, who = herd(telling=telling)
    rows = [(f"{n:02}.jpg", f"a{who[n]}", f"e{n // 2}", "both") for n in range(len(who))]
    table = make_table(rows)
    embeddings = eyes(images)
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    intervals = Bootstrap(evidence.individuals, 200, 0.95, 0)
    asked = []

    def see(some):
        asked.extend(some.tolist())
        return images[some], masks[some]

    found = shortcut(evidence, see, eyes, intervals=intervals, batch=17, strips=strips)
    return found, evidence, images, masks


def naive(embeddings: np.ndarray, evidence: Evidence) -> float:
    """Accuracy@1 by two loops: the nearest photo of another encounter; a tie counts against."""
    who = evidence.table["identity"].to_numpy(str)
    encounter = evidence.table["encounter"].to_numpy(str)
    right = []
    for query in range(len(who)):
        best = {}
        for other in range(len(who)):
            if other != query and encounter[other] != encounter[query]:
                score = float(embeddings[query] @ embeddings[other])
                best[who[other]] = max(best.get(who[other], -1.0), score)
        own = best.pop(who[query])
        right.append(all(score < own - 1e-6 for score in best.values()))
    return float(np.mean(right))


@pytest.mark.parametrize("telling", [True, False])
def test_the_three_figures_are_those_of_a_plain_recount(telling: bool) -> None:
    found, evidence, images, masks = measured(telling=telling)
    assert found["whole"]["value"] == naive(look(images), evidence)
    assert found["hidden"]["value"] == naive(look(without_animal(images, masks)), evidence)
    assert found["alone"]["value"] == naive(look(without_place(images, masks)), evidence)
    assert found["ratio"]["value"] == pytest.approx(found["hidden"]["value"] / found["whole"]["value"])
    assert found["lost"]["value"] == pytest.approx(found["hidden"]["value"] - found["whole"]["value"])
    assert found["gained"]["value"] == pytest.approx(found["alone"]["value"] - found["whole"]["value"])
    # ten photos of another encounter, eleven fewer of 95 are its own
    assert found["chance"] == pytest.approx(10 / 94)
    assert (found["n"], found["individuals"], found["too_few"]) == (96, 8, True)


def test_a_place_that_gives_the_animal_away_is_told_of() -> None:
    found = measured(telling=True)[0]
    assert found["hidden"]["value"] == 1
    assert found["warning"]
    assert found["ratio"]["value"] >= WARN
    assert "this model knows places" in found["says"]
    assert "100.0" in found["says"]


def test_a_place_that_says_nothing_is_not() -> None:
    found = measured(telling=False)[0]
    assert found["alone"]["value"] == 1
    assert found["hidden"]["value"] < 0.3
    assert not found["warning"]
    assert "nothing says" in found["says"]


def test_photos_that_are_right_only_with_the_place_in_sight() -> None:
    def places_alone(images: np.ndarray) -> np.ndarray:
        rim = images.copy()
        rim[:, SIZE // 4 : 3 * SIZE // 4, SIZE // 4 : 3 * SIZE // 4] = 0
        return look(rim)

    found, evidence, *_ = measured(telling=True, eyes=places_alone, strips=5)
    assert found["whole"]["value"] == 1
    assert found["alone"]["value"] == 0  # all alike: ties count against
    assert len(found["strips"]) == 5
    encounters = {evidence.table["encounter"][strip["query"]] for strip in found["strips"]}
    assert len(encounters) == 5
    for strip in found["strips"]:
        assert evidence.table["identity"][strip["query"]] == evidence.table["identity"][strip["found"]]
        assert all(uri.startswith("data:image/jpeg") for pair in strip["pictures"] for uri in pair)


def test_without_a_mate_there_is_nothing_to_measure() -> None:
    images, masks, _ = herd(telling=True)
    table = make_table([(f"{n}.jpg", f"a{n}", f"e{n}", "both") for n in range(4)])
    embeddings = look(images[:4])
    evidence = Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings)
    intervals = Bootstrap(evidence.individuals, 10, 0.95, 0)
    found = shortcut(evidence, lambda some: (images[some], masks[some]), look, intervals=intervals)
    assert list(found) == ["reason"]


def test_hiding_covers_the_animal_and_its_edge_alone() -> None:
    images, masks, _ = herd(telling=False)
    images = images.repeat(4, axis=1).repeat(4, axis=2)
    masks = masks.repeat(4, axis=1).repeat(4, axis=2)
    hidden = without_animal(images, masks)
    assert (hidden[masks > 0] == 127).all()
    assert (hidden[:, 15, 14:18] == 127).all()  # a pixel beside
    assert (hidden[:, :12] == images[:, :12]).all()
    bare = without_place(images, masks)
    assert (bare[masks > 0] == images[masks > 0]).all()
    assert (bare[masks == 0] == 127).all()


def test_the_middle_stands_for_an_animal_without_a_mask() -> None:
    assert (middle(16, 0.0) > 0).sum() == 12 * 12
    assert (middle(16, 0.5) > 0).sum() == 8 * 8
    assert middle(16, 0.5)[8, 8] == 255
