from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from wildreid.data.apart import keep_apart
from wildreid.evaluation.rank import rank
from wildreid.matching.sides import Sides, ranking_of
from wildreid.testing.material import embeddings_of, tiny_table, with_parts

PROTOCOLS = ("cross-encounter", "image-loo", "fixed-gallery")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cosine_similarities_give_the_ranking_that_rank_gives(protocol: str) -> None:
    table = with_parts(tiny_table())
    order = np.random.default_rng(3).permutation(len(table))
    embeddings = embeddings_of(table)[order]
    table = table.with_rows(table.rows.iloc[order].reset_index(drop=True))
    known = rank(embeddings, table, protocol=protocol, keep=4)
    sides = Sides.of(table, protocol, part="test")
    found = ranking_of(sides, sides.similarities(embeddings), keep=4)
    for field in fields(known):
        one, other = getattr(known, field.name), getattr(found, field.name)
        if isinstance(one, np.ndarray) and one.dtype.kind == "f":
            assert one.dtype == other.dtype
            assert one == pytest.approx(other, abs=1e-5, nan_ok=True)
        else:
            assert np.array_equal(one, other), field.name


def test_ties_count_against_the_model() -> None:
    table = with_parts(tiny_table())
    sides = Sides.of(table, "cross-encounter", part="test")
    flat = ranking_of(sides, lambda query: np.zeros(len(sides.gallery)), keep=3)
    assert (flat.own_rank[flat.mated] == len(sides.names)).all()
    assert (flat.true_ranks[flat.true_offsets[:-1][flat.mated]] > 1).all()


def test_a_listing_is_in_table_order() -> None:
    table = with_parts(tiny_table())
    sides = Sides.of(table, "image-loo", part="test")
    listed = sides.listing(lambda query: sides.gallery.astype(float))(np.array([0, 2]))
    assert (listed == sides.listed).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sides_that_are_kept_apart_are_masked_as_rank_masks_them(protocol: str) -> None:
    table = with_parts(tiny_table())
    views = np.array(["left", "right", None], dtype=object)[np.arange(len(table)) % 5 % 3]
    table = keep_apart(
        table.with_rows(table.rows.assign(viewpoint=views).astype({"viewpoint": "string"})), ["side"]
    )
    embeddings = embeddings_of(table)
    known = rank(embeddings, table, protocol=protocol, keep=4)
    sides = Sides.of(table, protocol, part="test")
    found = ranking_of(sides, sides.similarities(embeddings), keep=4)
    for name in ("own_rank", "top", "top_rows", "top_images", "true_ranks", "valid", "masked"):
        assert np.array_equal(getattr(known, name), getattr(found, name)), name
