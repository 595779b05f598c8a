from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from tests.core.gallery.made import MARK, annotations, made, unit

from wildreid.gallery import index, segments
from wildreid.gallery.state import State
from wildreid.identification import search
from wildreid.identification.search import Search


def naive(state: State, queries: np.ndarray) -> np.ndarray:
    """S(q, i) = max over i's images, one image at a time."""
    best = np.full((len(queries), len(state.individuals)), -np.inf)
    for row, code in enumerate(state.codes):
        if code >= 0:
            image = state.embeddings(np.array([row]))[0]
            for query in range(len(queries)):
                best[query, code] = max(best[query, code], float(queries[query] @ image))
    return best


def test_similarity_is_the_best_of_each_individuals_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BLOCK", 7)
    monkeypatch.setattr(segments, "SETTLED", 10)
    gallery = made(tmp_path / "g", rows=33)
    gallery.add(annotations(20, 2, people=9), unit(20, 2), model=MARK)
    gallery.merge("bear 0", "bear 1")
    gallery.remove("bear 2")
    gallery.undo()
    gallery.remove("bear 3")
    queries = unit(search.FEW + 3, 9)
    for some in (queries, queries[:5], queries[:1], queries[:0]):
        np.testing.assert_allclose(
            Search(gallery.state).similarity(some), naive(gallery.state, some), atol=1e-6
        )


def test_exact_search_finds_what_faiss_flat_finds(tmp_path: Path) -> None:
    state = made(tmp_path / "g", rows=500, people=40).state
    queries = unit(20, 9)
    flat = faiss.IndexFlatIP(16)
    flat.add(np.ascontiguousarray(state.embeddings(np.arange(500))))
    scores, rows = flat.search(queries, 1)
    found = Search(state).similarity(queries)
    np.testing.assert_allclose(found.max(axis=1), scores[:, 0], atol=1e-6)
    np.testing.assert_array_equal(found.argmax(axis=1), state.codes[rows[:, 0]])


def test_exemplars_are_of_different_encounters(tmp_path: Path) -> None:
    state = made(tmp_path / "g", rows=200, people=2).state
    query = unit(1, 9)[0]
    found = Search(state).exemplars(query, "bear 1", 5)
    rows = [row for row, _ in found]
    assert len(found) == 5
    assert len({state.rows["visit"].iloc[row] for row in rows}) == 5
    scores = state.embeddings(state.rows_of("bear 1")) @ query
    assert found[0][1] == pytest.approx(scores.max())
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setattr(segments, "SETTLED", 100)
    gallery = made(tmp_path / "g", rows=3000, people=300, exact_up_to=1000)
    assert index.stale(gallery.state)
    facts = index.build_index(gallery.state)
    assert facts is not None
    assert facts.recall >= index.RECALL
    gallery.add(annotations(50, 2, people=400), unit(50, 2), model=MARK)
    gallery.remove("bear 3")
    return gallery.state


def test_an_index_finds_nearly_all_that_exact_search_finds_and_later_rows_too(indexed: State) -> None:
    assert not index.stale(indexed)
    queries = indexed.embeddings(np.arange(0, 3050, 10))
    queries = queries + 0.3 * unit(len(queries), 5)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    near, exact = Search(indexed).similarity(queries), Search(indexed, exact=True).similarity(queries)
    assert np.mean(near.argmax(axis=1) == exact.argmax(axis=1)) >= index.RECALL - 0.02
    later = slice(300, None)
    np.testing.assert_array_equal(near[later].argmax(axis=1), exact[later].argmax(axis=1))
    found = near > near.min(axis=1, keepdims=True) + 1e-6
    assert (near[found] <= exact[found] + 1e-5).all()
    assert np.mean(near[found] >= exact[found] - 1e-5) > 0.9


def test_an_index_of_other_segments_or_a_broken_one_is_not_used(indexed: State) -> None:
    exact = Search(indexed, exact=True).similarity(unit(3, 7))
    facts = indexed.folder / "index" / "index.json"
    whole = facts.read_text()
    (file,) = (indexed.folder / "index").glob("*.faiss")
    for text in (whole.replace('"segments": "', '"segments": "00'), "{", ""):
        facts.write_text(text)
        assert index.open_index(indexed) is None
        np.testing.assert_array_equal(Search(indexed).similarity(unit(3, 7)), exact)
    facts.write_text(whole)
    file.write_bytes(file.read_bytes()[:100])
    assert index.open_index(indexed) is None
    index.build_index(indexed)
    assert index.open_index(indexed) is not None
