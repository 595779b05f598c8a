"""Rank the gallery for every query, block by block: exact, masked, never a matrix of queries by gallery."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.apart import Apart
from wildreid.artefacts import Ranking
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.evaluation.embeddings import check_unit_length
from wildreid.evaluation.kernel import rank_block
from wildreid.evaluation.protocols import Matching, matching
from wildreid.evaluation.threads import cores, side_by_side
from wildreid.files import put, reading

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

SCORES = 256 * 2**20
"""Bytes of scores that are held at once; a large gallery is asked by fewer queries at a time."""
FEW = 2_000_000
"""Scores that one thread ranks by itself: it is done before a second thread has got a core of its own."""


def rank(
    embeddings: Floats,
    table: Table,
    *,
    protocol: str,
    part: str = "test",
    gallery: Sequence[str] = (),
    keep: int = 10,
    block: int = 512,
    as_queries: Floats | None = None,
    any_length: bool = False,
) -> Ranking:
    """Rank under one protocol: who each query is taken for, and where its own individual stands.

    S(q, i) is the largest cosine similarity of q to a valid image of individual i. An individual's rank is
    one more than the number of others whose S is not smaller; scores within 1e-6 are equal. Every rank is
    exact, and the same whatever the block size and the order of the rows. In the lists of the nearest, each
    of the query's own stands at its rank.

    Args:
        embeddings: (rows, width) float32 of unit length, one for each row of the table.
        table: has ``part`` and ``encounter``.
        protocol: the protocol's name.
        part: where the queries are.
        gallery: parts that the gallery is taken from, in place of those that the protocol says.
        keep: how many individuals and images to keep for each query.
        block: queries scored at once, at most; fewer where their scores would fill more than `SCORES`.
        as_queries: embeddings of the rows as queries, where those differ from the gallery's.
        any_length: take vectors that are not of unit length too; scores are then their plain products.

    Raises:
        UserError: the embeddings do not belong to the table, are not finite, or not of unit length; the table
            is not split or not annotated; there is no such protocol.
    """
    if len(embeddings) != len(table):
        raise UserError(f"there are {len(embeddings)} embeddings for {len(table)} rows of the table")
    sides = matching(table, protocol, part=part, gallery=gallery)
    names, individuals, own = _who(table, sides)
    # by individual, then by id: neither result nor order of ties depends on the order of the rows
    order = np.lexsort((pd.factorize(table["id"], sort=True)[0][sides.gallery], individuals))
    rows, individuals = sides.gallery[order], individuals[order]
    starts = np.searchsorted(individuals, np.arange(len(names) + 1))
    encounters = pd.factorize(table["encounter"])[0]
    own_images = _own_images(sides, own, rows, individuals, encounters)
    offsets = np.concatenate([[0], np.cumsum(own_images)])

    images, met = _take(embeddings, rows, any_length), encounters[rows]
    out = _prefilled(len(sides.queries), keep, int(offsets[-1]))
    asking = embeddings if as_queries is None else as_queries

    def rank_some(here: slice, queries: Floats, scores: Floats) -> None:
        asked = sides.queries[here]
        if sides.apart is not None:
            banned = sides.apart.banned(asked, rows)
            scores[banned] = -np.inf
            of_others = (banned & (individuals != own[here][:, np.newaxis])).sum(axis=1)
        rank_block(
            0,
            len(asked),
            scores,
            queries,
            images,
            starts,
            (asked, own[here], encounters[asked]),
            (rows, met),
            sides.across,
            offsets[here.start : here.stop + 1],
            tuple(array if name == "true_ranks" else array[here] for name, array in out.items()),
        )
        if sides.apart is not None:
            out["valid"][here] -= of_others
            out["masked"][here] += of_others

    def take(here: slice) -> Floats:
        return _take(asking, sides.queries[here], any_length)

    _by_blocks(rank_some, take, len(sides.queries), images, block)
    for name in ("top_rows", "top_images"):
        out[name] = np.append(rows, -1)[out[name]]
    return Ranking(
        protocol=protocol,
        queries=sides.queries,
        gallery=sides.gallery,
        individuals=tuple(names),
        true_offsets=offsets,
        **out,
    )


def _by_blocks(
    rank_some: Callable[[slice, Floats, Floats], None],
    take: Callable[[slice], Floats],
    total: int,
    images: Floats,
    block: int,
) -> None:
    """Score `total` queries against the images; each thread takes blocks, and multiplies for itself.

    One thread alone leaves the product to the library's own threads.

    Args:
        rank_some: is given the block, its (B, width) queries and their (B, images) scores, which it may change.
        take: the queries of a block.
        total: how many there are.
        images: (images, width) of the gallery.
        block: queries scored at once, by all threads together.
    """
    threads = cores() if total * len(images) > FEW else 1
    room = SCORES // (4 * threads * max(1, len(images)))
    step = max(1, min(block // threads, -(-total // threads), room))
    blocks = iter([slice(first, min(first + step, total)) for first in range(0, total, step)])

    def work() -> None:
        scores = np.empty((step, len(images)), np.float32)
        for here in blocks:  # an iterator that all threads share: whoever is free takes the next
            queries = take(here)
            rank_some(here, queries, np.matmul(queries, images.T, out=scores[: len(queries)]))

    side_by_side(work, threads)


def mated(table: Table, protocol: str, *, part: str, gallery: Sequence[str] = ()) -> NDArray[np.bool_]:
    """(Q,) what `Ranking.mated` would say, told from the table alone: arguments as in `rank`."""
    sides = matching(table, protocol, part=part, gallery=gallery)
    _, individuals, own = _who(table, sides)
    encounters = pd.factorize(table["encounter"])[0]
    return _own_images(sides, own, sides.gallery, individuals, encounters) > 0


def _who(table: Table, sides: Matching) -> tuple[list[str], Ints, Ints]:
    """The gallery's individuals by name; whose each of its images is, and whose each query; -1: nobody's there."""
    codes, names = pd.factorize(table["identity"], sort=True)
    there = np.unique(codes[sides.gallery])
    number = np.full(len(names) + 1, -1)  # the last is for those without a name
    number[there] = np.arange(len(there))
    return names[there].tolist(), number[codes[sides.gallery]], number[codes[sides.queries]]


def _own_images(
    sides: Matching,
    own: Ints,
    rows: Ints,
    individuals: Ints,
    encounters: Ints,
    images: Ints | None = None,
) -> Ints:
    """(Q,) how many images of its own individual each query may be matched to."""
    if sides.apart is not None:
        return _own_images_apart(sides, sides.apart, own, rows, individuals, encounters)
    if images is None:
        images = np.append(np.bincount(individuals), 0)[own]
    if not sides.across:
        return images - np.isin(sides.queries, rows)
    width = int(encounters.max(initial=0)) + 2
    pairs, sizes = np.unique(individuals * width + encounters[rows], return_counts=True)
    asked = own * width + encounters[sides.queries]
    place = np.searchsorted(pairs, asked).clip(max=len(pairs) - 1)
    together = np.where(pairs[place] == asked, sizes[place], 0) if len(pairs) else 0
    return images - np.where(own >= 0, together, 0)


def _own_images_apart(
    sides: Matching, apart: Apart, own: Ints, rows: Ints, individuals: Ints, encounters: Ints
) -> Ints:
    """As `_own_images`, where some rows are kept apart: the sum over what each query may be matched to."""
    images = np.zeros(len(sides.queries), np.int64)
    codes, asked = apart.codes[rows], apart.codes[sides.queries]
    for code in np.unique(codes):
        here = codes == code
        alone = Matching(sides.queries, rows[here], sides.across)
        there = np.bincount(individuals[here], minlength=int(individuals.max(initial=0)) + 1)
        counted = np.append(there, 0)[own]
        if sides.across:
            counted = _own_images(alone, own, rows[here], individuals[here], encounters, counted)
        else:
            counted = counted - np.isin(sides.queries, rows[here])
        images += np.where(apart.allowed[asked, code], counted, 0)
    return images


def _take(embeddings: Floats, rows: Ints, any_length: bool) -> Floats:
    taken = np.ascontiguousarray(embeddings[rows], dtype=np.float32)
    if not np.isfinite(taken).all():
        bad = rows[~np.isfinite(taken).all(axis=1)][0]
        raise UserError(f"the embedding of row {bad} is not finite", cure="look at the training's loss")
    if not any_length:
        check_unit_length(taken)
    return taken


def _prefilled(queries: int, keep: int, true: int) -> dict[str, NDArray[Any]]:
    """The arrays that the kernel fills, in its order."""
    return {
        "top": np.full((queries, keep), -1, dtype=np.int64),
        "top_scores": np.full((queries, keep), -np.inf, dtype=np.float32),
        "top_rows": np.full((queries, keep), -1, dtype=np.int64),
        "top_images": np.full((queries, keep), -1, dtype=np.int64),
        "top_image_scores": np.full((queries, keep), -np.inf, dtype=np.float32),
        "own_rank": np.zeros(queries, dtype=np.int64),
        "own_score": np.full(queries, np.nan, dtype=np.float32),
        "impostor_score": np.full(queries, -np.inf, dtype=np.float32),
        "true_ranks": np.empty(true, dtype=np.int32),
        "valid": np.zeros(queries, dtype=np.int64),
        "masked": np.zeros(queries, dtype=np.int64),
    }


def save_ranking(ranking: Ranking, path: Path) -> None:
    """Write a ranking as ``.npz``, whole or not at all; nothing in it is pickled."""
    arrays = {field.name: np.asarray(getattr(ranking, field.name)) for field in fields(ranking)}

    def write(aside: Path) -> None:
        with aside.open("wb") as file:  # given a path, numpy would add an ending of its own
            np.savez(file, allow_pickle=False, **arrays)

    put(path, write)


def load_ranking(path: Path, *, rows: int | None = None) -> Ranking:
    """Read what `save_ranking` wrote.

    Args:
        path: of the file.
        rows: of the table that was ranked, for which the ranking must be; None: not checked.

    Raises:
        UserError: it is damaged, or of another table.
    """
    with reading(path, cure="remove this file, and evaluate the run again"):
        with zipfile.ZipFile(path) as packed:  # ours is not compressed: no more is read than lies on the disk
            if any(part.compress_type != zipfile.ZIP_STORED for part in packed.infolist()):
                raise ValueError("it is compressed")
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = dict(file)
        arrays["protocol"] = str(arrays["protocol"])
        arrays["individuals"] = tuple(arrays["individuals"].tolist())
        ranking = Ranking(**arrays)
        _check(ranking, rows)
    return ranking


def _check(ranking: Ranking, rows: int | None) -> None:
    """Raise ValueError where arrays do not belong together, or to a table of so many rows."""
    queries = len(ranking.queries)
    of_queries = ("top", "top_scores", "top_rows", "top_images", "top_image_scores", "own_rank", "own_score")
    for name in (*of_queries, "impostor_score", "valid", "masked"):
        if len(getattr(ranking, name)) != queries:
            raise ValueError(f"{name} is not of {queries} queries")
    if len(ranking.true_offsets) != queries + 1 or ranking.true_offsets[-1] != len(ranking.true_ranks):
        raise ValueError("true_offsets does not divide true_ranks by query")
    for name, below in (
        ("queries", rows),
        ("gallery", rows),
        ("top_rows", rows),
        ("top_images", rows),
        ("top", len(ranking.individuals)),
    ):
        numbers = getattr(ranking, name)
        if below is not None and numbers.size and not -1 <= numbers.min() <= numbers.max() < below:
            raise ValueError(f"{name} names rows that the table does not have")
