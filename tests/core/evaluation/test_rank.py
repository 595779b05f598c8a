from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.tables import golden, make_table, simulated
from tests.core.evaluation import naive

from wildreid.errors import UserError
from wildreid.evaluation.rank import load_ranking, mated, rank, save_ranking

SCORES = st.sampled_from([-0.5, 0.0, 0.25, 0.5, 0.5, 0.5 + 4e-7, 0.500003, 0.75, 1.0])


@pytest.mark.parametrize("protocol", ["image-loo", "cross-encounter"])
def test_golden_ranks(protocol):
    fixture, table, embeddings = golden()
    expected = fixture["expected"][protocol]
    ranking = rank(embeddings, table, protocol=protocol, any_length=True)
    assert ranking.own_rank[ranking.mated].tolist() == expected["ranks"]
    assert ranking.mated.sum() == expected["mated"]
    assert (~ranking.mated).sum() == expected["non_mated"]


def test_golden_counts_what_is_masked():
    _, table, embeddings = golden()
    ranking = rank(embeddings, table, protocol="cross-encounter", any_length=True)
    # q0, q3 and q6 lose one image each; q2 only itself, which is not counted
    assert ranking.masked.tolist() == [1, 0, 0, 1, 0, 0, 1, 0]
    assert ranking.valid.tolist() == [10, 11, 10, 10, 11, 11, 10, 11]


@st.composite
def cases(draw):
    """Queries and gallery with ties, unknown animals, animals without a match, and one-image animals.

    Each image is a query, a gallery image or both; scores are drawn for every pair.
    """
    count = draw(st.integers(1, 12))
    who = draw(st.lists(st.sampled_from(["A", "B", "C", "D", None]), min_size=count, max_size=count))
    when = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    roles = draw(st.lists(st.sampled_from(["query", "gallery", "both"]), min_size=count, max_size=count))
    rows = [(f"{i:02}.jpg", who[i], f"{who[i]}-{when[i]}", roles[i]) for i in range(count)]
    scores = draw(st.lists(st.lists(SCORES, min_size=count, max_size=count), min_size=count, max_size=count))
    return rows, np.array(scores)


def embed(scores):
    """(n, n) vectors whose products off the diagonal are the upper half of the scores."""
    symmetric = np.triu(scores, 1) + np.triu(scores, 1).T
    values, vectors = np.linalg.eigh(symmetric)
    # an indefinite matrix is no Gram matrix; a larger diagonal, which nobody looks at, makes it one
    values = values - min(values.min(), 0.0)
    return (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)


@pytest.mark.parametrize("protocol", ["image-loo", "cross-encounter"])
@given(case=cases(), block=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_equals_plain_loops(protocol, case, block):
    rows, scores = case
    table = make_table(rows)
    vectors = embed(scores)
    ranking = rank(vectors, table, protocol=protocol, keep=4, block=block, any_length=True)
    queries = [row for row in rows if row[3] != "gallery"]
    gallery = [row for row in rows if row[3] != "query" and row[1] is not None]
    at = {row[0]: i for i, row in enumerate(rows)}
    exact = vectors.astype(np.float64)
    between = [[float(exact[at[q[0]]] @ exact[at[g[0]]]) for g in gallery] for q in queries]
    expected = naive.rank(
        between, [q[:3] for q in queries], [g[:3] for g in gallery], protocol == "cross-encounter"
    )
    assert ranking.own_rank.tolist() == [answer.own_rank for answer in expected]
    assert mated(table, protocol, part="test").tolist() == ranking.mated.tolist()
    assert ranking.valid.tolist() == [answer.valid for answer in expected]
    assert ranking.masked.tolist() == [answer.masked for answer in expected]
    np.testing.assert_allclose(ranking.own_score, [a.own_score for a in expected], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ranking.impostor_score, [a.impostor for a in expected], rtol=1e-5, atol=1e-6)
    for q, answer in enumerate(expected):
        part = ranking.true_ranks[ranking.true_offsets[q] : ranking.true_offsets[q + 1]]
        assert part.tolist() == answer.true_ranks
        if 0 < answer.own_rank <= 4:
            own = ranking.top[q, answer.own_rank - 1]
            assert ranking.individuals[own] == answer.identity
        kept = [n for n in ranking.top[q] if n >= 0]
        assert len(set(kept)) == len(kept)
        for slot, row in enumerate(ranking.top_rows[q]):
            if row >= 0:
                assert table["identity"][row] == ranking.individuals[ranking.top[q, slot]]
        images = [row for row in ranking.top_images[q] if row >= 0]
        assert len(set(images)) == len(images) == min(4, answer.valid)
        assert ranking.queries[q] not in images


def test_any_block_gives_the_same_ranks():
    table, embeddings = simulated(individuals=30, encounters=4, burst=3, noise=2.0)
    # exact copies and near copies of other animals' photos: ties that rounding could decide
    embeddings[1::7] = embeddings[0:-1:7][: len(embeddings[1::7])]
    whole = rank(embeddings, table, protocol="cross-encounter", block=10_000)
    for block in (1, 7, 64, 333):
        part = rank(embeddings, table, protocol="cross-encounter", block=block)
        assert np.array_equal(part.own_rank, whole.own_rank)
        assert np.array_equal(part.true_ranks, whole.true_ranks)


def test_order_of_rows_changes_nothing():
    table, embeddings = simulated(individuals=20, encounters=3, burst=2, noise=2.0)
    embeddings[1::2] = embeddings[0::2]  # twins, whose order is a matter of taste
    shuffle = np.random.default_rng(0).permutation(len(table))
    straight = rank(embeddings, table, protocol="cross-encounter")
    shuffled = rank(
        embeddings[shuffle], table.with_rows(table.rows.iloc[shuffle]), protocol="cross-encounter"
    )
    assert np.array_equal(shuffled.own_rank, straight.own_rank[shuffle])
    assert np.array_equal(shuffled.top, straight.top[shuffle])
    assert np.array_equal(shuffle[shuffled.top_rows], straight.top_rows[shuffle])
    assert np.array_equal(shuffle[shuffled.top_images], straight.top_images[shuffle])


def test_constant_embeddings_are_never_right():
    table, embeddings = simulated(individuals=10, encounters=3, burst=2)
    embeddings[:] = embeddings[0]
    ranking = rank(embeddings, table, protocol="image-loo")
    assert (ranking.own_rank == 10).all()
    assert (ranking.true_ranks > 50).all()


def test_fixed_gallery_matches_test_to_train_and_val():
    table, embeddings = simulated(individuals=6, encounters=3, burst=2)
    parts = np.array(["train", "val", "test"])[np.arange(len(table)) // 2 % 3]
    table.rows["part"] = parts
    ranking = rank(embeddings, table, protocol="fixed-gallery")
    assert set(parts[ranking.queries]) == {"test"}
    assert set(parts[ranking.gallery]) == {"train", "val"}
    val = rank(embeddings, table, protocol="cross-encounter", part="val", gallery=("train",))
    assert set(parts[val.queries]) == {"val"}
    assert set(parts[val.gallery]) == {"train"}


def test_time_cutoff_uses_the_roles():
    table, embeddings = simulated(individuals=6, encounters=2, burst=2)
    table.rows["role"] = ["gallery" if i % 4 < 2 else "query" for i in range(len(table))]
    ranking = rank(embeddings, table, protocol="time-cutoff")
    assert not set(ranking.queries) & set(ranking.gallery)
    assert ranking.mated.all()


def test_an_empty_gallery_leaves_every_query_non_mated(tmp_path):
    table = make_table([("a.jpg", "A", "e", "query"), ("b.jpg", None, "f", "query")])
    ranking = rank(np.eye(2, dtype=np.float32), table, protocol="cross-encounter")
    assert not ranking.mated.any()
    assert np.isneginf(ranking.first_score).all()
    assert (ranking.top == -1).all()
    save_ranking(ranking, tmp_path / "ranking.npz")
    assert load_ranking(tmp_path / "ranking.npz").individuals == ()


def test_survives_a_file(tmp_path):
    _, table, embeddings = golden()
    ranking = rank(embeddings, table, protocol="cross-encounter", any_length=True)
    save_ranking(ranking, tmp_path / "ranking.npz")
    again = load_ranking(tmp_path / "ranking.npz")
    for name, value in vars(ranking).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert again.protocol == "cross-encounter"
    assert again.individuals == ("A", "B", "C", "D", "E")


def test_embeddings_that_are_not_finite_or_not_of_this_table_are_refused():
    table = make_table([("a.jpg", "A", "e", "both"), ("b.jpg", "A", "f", "both")])
    with pytest.raises(UserError, match="3 embeddings for 2 rows"):
        rank(np.ones((3, 2), np.float32), table, protocol="image-loo")
    with pytest.raises(UserError, match="row 1 is not finite"):
        rank(np.array([[1, 0], [np.nan, 1]], np.float32), table, protocol="image-loo")
    with pytest.raises(UserError, match="no protocol 'cross'"):
        rank(np.eye(2, dtype=np.float32), table, protocol="cross")


def test_what_rounding_could_decide_is_decided_in_double():
    """Impostors within a rounding error of the edge of a tie: the float32 product would misplace some."""
    random = np.random.default_rng(0)
    width, animals = 512, 300
    query = random.normal(size=width)
    query /= np.linalg.norm(query)
    gallery = random.normal(size=(animals, width))
    gallery -= np.outer(gallery @ query, query)
    gallery *= 0.6 / np.linalg.norm(gallery, axis=1, keepdims=True)
    edge = 0.8 - 1e-6 + random.uniform(-2e-7, 2e-7, animals)
    gallery += np.outer(np.where(np.arange(animals) == 0, 0.8, edge), query)
    embeddings = np.vstack([query, gallery]).astype(np.float32)
    rows = [("q.jpg", "a000", "q", "query")]
    rows += [(f"{i:03}.jpg", f"a{i:03}", f"e{i}", "gallery") for i in range(animals)]
    exact = embeddings[1:].astype(np.float64) @ embeddings[0].astype(np.float64)
    single = embeddings[1:] @ embeddings[0]
    expected = 1 + (exact[1:] >= exact[0] - 1e-6).sum()
    ranking = rank(embeddings, make_table(rows), protocol="cross-encounter")
    assert ranking.own_rank.tolist() == [expected]
    assert ranking.true_ranks.tolist() == [expected]
    assert 1 + (single[1:] >= single[0] - np.float32(1e-6)).sum() != expected
