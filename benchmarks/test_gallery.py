"""A gallery at size: opening it, asking it, adding to it. Random embeddings stand in for photos."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import faiss
import numpy as np
import pytest
import timm
import torch
from benchmarks.record import Record
from benchmarks.stages.gallery import MARK, WIDTH, annotated, filled, unit
from benchmarks.timing import Clock

from wildreid.data.table import Table
from wildreid.gallery.store import Gallery
from wildreid.identification.identify import identify
from wildreid.identification.outputs import Identified
from wildreid.identification.pages import identified_page
from wildreid.identification.search import Search


@pytest.fixture(scope="module")
def galleries(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Gallery]:
    """One of each size; tests after `test_one_query_against_a_million` see the largest with 1,000 images more."""
    folder = tmp_path_factory.mktemp("gallery")
    return cache(lambda images: filled(folder / str(images), images))


def test_opening_100_000_images(record: Record, galleries: Callable[[int], Gallery]) -> None:
    """The state that every command begins with, from its folder; imports and the model are apart."""
    folder = galleries(100_000).folder
    assert Gallery(folder).state.images == 100_000
    record.beside(
        "Opening a gallery", {"images": 100_000, "width": WIDTH},
        {"wildreid": lambda: Gallery(folder).state}, aims={"seconds": ("<=", 1.0)},
    )  # fmt: skip


@pytest.mark.parametrize("width", [128, pytest.param(512, marks=pytest.mark.full)])
def test_identify_beside_embedding_alone(
    record: Record, tmp_path_factory: pytest.TempPathFactory, quick: bool, width: int
) -> None:
    """32 photos at a time against 100,000 images; ResNet18 at 224 pixels, channels last, on the CPU."""
    model = timm.create_model("resnet18", pretrained=False, num_classes=0).eval()
    model = model.to(memory_format=torch.channels_last)
    pixels = torch.rand(32, 3, 224, 224).to(memory_format=torch.channels_last)
    folder = tmp_path_factory.mktemp("gallery") / "g"
    gallery = Gallery.create(folder, MARK.model_copy(update={"width": width}))
    for seed in range(4):
        vectors = np.ascontiguousarray(unit(25_000, seed)[:, :width])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        gallery.add(annotated(25_000, seed), vectors, model=gallery.state.manifest.model)
    search = Search(gallery.state)
    rows = annotated(32, 99).assign(burst=np.arange(32)).rename(columns={"image": "id"})

    def embed() -> np.ndarray:
        with torch.inference_mode():
            vectors = torch.nn.functional.normalize(model(pixels)[:, :width])
        return np.ascontiguousarray(vectors.numpy())

    record.beside(
        "Identify", {"gallery": 100_000, "width": width, "photos": 32},
        {"wildreid, embedding included": lambda: identify(search, rows, embed()), "embedding alone": embed},
        pairs=5 if quick else 10, compare="time", aims={"embedding alone": ("<=", 1.05)},
    )  # fmt: skip


def test_the_page_of_identify(record: Record, galleries: Callable[[int], Gallery]) -> None:
    """150 photos, as many as the page shows beside their candidates, against 100,000 images; no photo is read.

    The embeddings are there already; the gallery has no small pictures.
    """
    search, photos = Search(galleries(100_000).state), 150
    rows = annotated(photos, 99).assign(burst=np.arange(photos), identity=None)
    rows["id"] = rows["image"]
    table, vectors = Table.of(rows, galleries(100_000).folder), unit(photos, 99)

    def answers() -> Identified:
        images, encounters = identify(search, rows, vectors)
        return Identified(tuple(images), tuple(encounters), (), search, rows, vectors, table)

    record.beside(
        "The page of identify", {"gallery": 100_000, "photos": photos},
        {"answers and page": lambda: identified_page(answers(), lambda name: None), "answers alone": answers},
        compare="time",
    )  # fmt: skip


SIZES = [
    10_000,
    pytest.param(100_000, marks=pytest.mark.full),
    pytest.param(1_000_000, marks=pytest.mark.full),
]


@pytest.mark.parametrize("images", SIZES)
def test_nearest(record: Record, galleries: Callable[[int], Gallery], images: int) -> None:
    """32 queries at a time, exact: the similarity to each of a thousand individuals, beside the scores alone.

    faiss looks for the ten nearest images in its flat index of inner products.
    """
    matrices = galleries(images).state.matrices
    search, queries, whole = Search(galleries(images).state), unit(32, 12345), np.concatenate(matrices)
    index = faiss.IndexFlatIP(WIDTH)
    index.add(whole)
    record.beside(
        "Nearest individuals", {"images": images, "width": WIDTH, "queries": 32},
        {
            "wildreid": lambda: search.similarity(queries),
            "bare product": lambda: queries @ whole.T,
            "faiss": lambda: index.search(queries, 10),
        },
        compare="time",
    )  # fmt: skip


@pytest.mark.full
def test_one_query_against_a_million(record: Record, galleries: Callable[[int], Gallery]) -> None:
    """One query, exact, beside one streaming read of the matrix by numpy's sum, in one thread and in two.

    Then 1,000 more images are added, and no file that was there before is written again.
    """
    gallery = galleries(1_000_000)
    query = unit(1, 12345)
    search, matrices = Search(gallery.state), gallery.state.matrices
    with ThreadPoolExecutor(2) as pool:
        record.beside(
            "One query against a million", {"images": 1_000_000, "width": WIDTH},
            {
                "wildreid": lambda: search.similarity(query),
                "read, one thread": lambda: sum(float(matrix.sum()) for matrix in matrices),
                "read, two threads": lambda: sum(pool.map(lambda matrix: float(matrix.sum()), matrices)),
            },
            pairs=10, compare="time",
            aims={"read, one thread": ("<=", 1.3), "read, two threads": ("<=", 1.3)},
        )  # fmt: skip
    before = {path.name: path.stat().st_mtime_ns for path in (gallery.folder / "segments").iterdir()}
    clock = Clock()
    added = gallery.add(annotated(1000, 77), unit(1000, 77), model=MARK)
    seconds = clock.read()
    after = {path.name: path.stat().st_mtime_ns for path in (gallery.folder / "segments").iterdir()}
    assert added.rows == 1000
    rewritten = sum(after[name] != when for name, when in before.items())
    record.row(
        "Adding to a million", {"images": 1_000_000, "added": 1000}, seconds={"wildreid": [seconds]},
        figures={"files written": len(after) - len(before), "files written again": rewritten},
        aims={"files written again": ("<=", 0)},
    )  # fmt: skip
